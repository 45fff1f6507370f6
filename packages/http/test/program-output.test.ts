// What becomes of standard output and error while a program runs costs lines, never the program.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { connectClient, eventually, unusedAddress } from '@wellknown/core/testing';
import { programArguments } from '../../../test/programs.ts';

const { O_RDONLY, O_NONBLOCK } = fs.constants;
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

const scratch = (): string => fs.mkdtempSync(path.join(tmpdir(), 'wellknown-'));

function pipe(): { readEnd: number; writeEnd: number } {
  const file = path.join(scratch(), 'pipe');
  spawnSync('mkfifo', [file]);
  return { readEnd: fs.openSync(file, O_RDONLY | O_NONBLOCK), writeEnd: fs.openSync(file, 'w') };
}

interface Output {
  readonly stdout?: number;
  readonly stderr: number;
}

/** Starts the program with these descriptors as its output; it serves once its control socket is there. */
async function start({ stdout, stderr }: Output, workers: string) {
  const folder = scratch();
  const [root, pidFile] = [path.join(folder, 'root'), path.join(folder, 'pid')];
  fs.mkdirSync(root);
  fs.writeFileSync(path.join(root, 'a'), 'a');
  const { host, port } = await unusedAddress();
  const url = `tcp://${host}:${port}`;
  const child = spawn(
    process.execPath,
    [
      ...programArguments('packages/http/src/main.ts'),
      ...[
        '--listen',
        url,
        '--workers',
        workers,
        '--pid-file',
        pidFile,
        '--access-log',
        '-',
        '--drain-timeout',
        '1',
        root,
      ],
    ],
    { stdio: ['ignore', stdout ?? 'ignore', stderr] },
  );
  running.push(child);
  await eventually(() => fs.existsSync(pidFile));
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  return { child, url, pidFile, exited };
}

async function get(url: string, count: number): Promise<number> {
  const client = await connectClient(url);
  client.send(
    'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count - 1) + 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  return (await client.receiveAll()).split('HTTP/1.1 200').length - 1;
}

describe.each(['0', '1'])('a program with %s workers', (workers) => {
  test('goes on when the reader of both outputs leaves, and ends with status 0', async () => {
    const out = pipe();
    const err = pipe();
    const program = await start({ stdout: out.writeEnd, stderr: err.writeEnd }, workers);
    for (const end of [...Object.values(out), ...Object.values(err)]) fs.closeSync(end);
    expect(await get(program.url, 10)).toBe(10);
    program.child.kill('SIGUSR1');
    expect(await get(program.url, 10)).toBe(10);
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });

  test('is ready and serves where no reader was there from the start', async () => {
    const out = pipe();
    const err = pipe();
    fs.closeSync(out.readEnd);
    fs.closeSync(err.readEnd);
    const program = await start({ stdout: out.writeEnd, stderr: err.writeEnd }, workers);
    expect(await get(program.url, 10)).toBe(10);
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });

  test('serves with an error output that takes no byte more, and ends', async () => {
    const err = pipe();
    const program = await start({ stderr: err.writeEnd }, workers);
    expect(await get(program.url, 5_000)).toBe(5_000);
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });
});

test('an upgrade comes to its end without a reader', async () => {
  const out = pipe();
  const err = pipe();
  const program = await start({ stdout: out.writeEnd, stderr: err.writeEnd }, '1');
  for (const end of [...Object.values(out), ...Object.values(err)]) fs.closeSync(end);
  program.child.kill('SIGUSR2');
  expect(await program.exited).toBe(0);
  await eventually(() => Number(fs.readFileSync(program.pidFile, 'utf8')) !== program.child.pid);
  expect(await get(program.url, 10)).toBe(10);
  const successor = Number(fs.readFileSync(program.pidFile, 'utf8'));
  process.kill(successor, 'SIGTERM');
  await eventually(() => !fs.existsSync(program.pidFile));
});

test('every line of an access log arrives whole at a slow reader, of several workers too', async () => {
  const err = pipe();
  const program = await start({ stderr: err.writeEnd }, '2');
  fs.closeSync(err.writeEnd);
  const served = await Promise.all([1, 2, 3, 4].map(() => get(program.url, 2_000)));
  expect(served).toEqual([2_000, 2_000, 2_000, 2_000]);
  const chunk = Buffer.alloc(1_000);
  let text = '';
  await eventually(() => {
    for (let step = 0; step < 200; step += 1) {
      try {
        text += chunk.toString('latin1', 0, fs.readSync(err.readEnd, chunk));
      } catch {
        break;
      }
    }
    return text.split('\n').length > 8_000;
  });
  const lines = text.split('\n').slice(0, -1);
  expect(lines).toHaveLength(8_000);
  expect(lines.filter((line) => !/^127\.[\d.]+ - - \[[^\]]+\] "GET \/a HTTP\/1\.1" 200 1 "-" "-"/.test(line))).toEqual(
    [],
  );
});
