// What a running supervisor is asked over its control socket, with its workers as real processes.

import { existsSync, mkdtempSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectClient, eventually, startProgram } from '@wellknown/core/testing';
import type { OpenConnection } from '@wellknown/core/observe';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { runHere, type Ended } from '../../../test/command-line.ts';
import { programArguments } from '../../../test/programs.ts';
import { run } from '../src/run.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-control-'));
const ask = (...argv: string[]): Promise<Ended> => runHere(() => run(argv));

let started = 0;

async function start(...argv: string[]) {
  const control = path.join(folder, `control-${(started += 1)}`);
  const [command = '', ...rest] = argv;
  const program = await startProgram([...WELLKNOWN, command, '--control', control, ...rest]);
  onTestFinished(async () => {
    await program.stop();
  });
  const connections = async (...more: string[]): Promise<OpenConnection[]> => {
    const { stdout } = await ask('connections', '--json', '--control', control, ...more);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as OpenConnection]));
  };
  return { program, control, connections };
}

describe('connections', () => {
  test('are listed over all workers, for a person and as JSON lines, and filtered', async () => {
    const { program, control, connections } = await start(
      ...['telnet', '--listen', 'tcp://127.0.0.1:0', '--workers', '2', '--accept', 'inherit-shared'],
    );
    expect((await ask('connections', '--control', control)).stdout).toBe('no open connections\n');
    const url = program.endpoints.telnet?.[0] ?? '';
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectClient(url)));
    onTestFinished(() => {
      for (const client of clients) client.reset();
    });
    await eventually(async () => (await connections()).length === clients.length);
    const listed = await connections();
    expect(new Set(listed.map(({ remote }) => remote))).toEqual(
      new Set(clients.map(({ localPort }) => `127.0.0.1:${localPort}`)),
    );
    expect(new Set(listed.map(({ id }) => id)).size).toBe(clients.length);
    const { workers } = JSON.parse((await ask('status', '--json', '--control', control)).stdout) as {
      workers: { slot: number; pid: number }[];
    };
    for (const { id, worker, service, local, state } of listed) {
      expect([service, `tcp://${local}`, state]).toEqual(['telnet', url, 'open']);
      expect(workers).toContainEqual(expect.objectContaining({ slot: worker, pid: Number(id.split('.')[0]) }));
    }
    const table = (await ask('connections', '--service', 'telnet', '--remote', '127.0.0.0/8', '--control', control))
      .stdout;
    expect(table).toMatch(/^id +service +remote +local +tls +is +age +in +out +worker +doing\n/);
    expect(table).toMatch(new RegExp(`^\\d+\\.\\d+ +telnet +127\\.0\\.0\\.1:${clients[3]?.localPort ?? 0} `, 'm'));
    expect(await connections('--remote', '192.0.2.0/24')).toEqual([]);
  });

  test('are ended one by one: gracefully by their protocol, or by a reset, and no other one is', async () => {
    const { program, control, connections } = await start(
      ...['ftp', folder, '--listen', 'tcp://127.0.0.1:0', '--workers', '2'],
    );
    const url = program.endpoints.ftp?.[0] ?? '';
    const [graceful, other] = [await connectClient(url), await connectClient(url)];
    const reset = net.connect(Number(url.split(':').at(-1)), '127.0.0.1');
    const failure = new Promise((resolve) => {
      reset.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      reset.on('end', () => resolve('end'));
    });
    await once(reset, 'data');
    reset.resume();
    await Promise.all([graceful.receive('220'), other.receive('220')]);
    const idOf = async (port: number | undefined): Promise<string> =>
      (await connections()).find(({ remote }) => remote === `127.0.0.1:${port ?? 0}`)?.id ?? '';
    const id = await idOf(graceful.localPort);
    expect(await ask('connections', 'close', id, '--control', control)).toEqual({
      status: 0,
      stdout: `closed: ${id}\n`,
      stderr: '',
    });
    expect(await graceful.receiveAll()).toMatch(/^421 /m);
    const byReset = await idOf(reset.localPort);
    const { stdout } = await ask('connections', 'close', byReset, '--reset', '--json', '--control', control);
    expect(JSON.parse(stdout)).toEqual({ closed: byReset });
    expect(await failure).toBe('ECONNRESET');
    other.send('NOOP\r\n');
    await other.receive('200');
    other.reset();
    expect(await ask('connections', 'close', id, '--control', control)).toEqual({
      status: 1,
      stdout: '',
      stderr: `wellknown connections close: there is no open connection ${id}: 'connections' lists them\n`,
    });
  });

  test('of a program for each connection have its name and process, and end with it', async () => {
    const { program, connections, control } = await start(...['exec', '--listen', 'tcp://127.0.0.1:0', '--', 'cat']);
    const client = await connectClient(program.endpoints.exec?.[0] ?? '');
    await eventually(async () => (await connections())[0]?.doing !== undefined);
    const [listed] = await connections();
    expect(listed).toMatchObject({
      service: 'exec',
      worker: 0,
      doing: expect.stringMatching(/^cat, process \d+$/) as unknown,
    });
    expect((await ask('connections', 'close', listed?.id ?? '', '--control', control)).status).toBe(0);
    expect(await client.receiveAll()).toBe('');
  });
});

describe('log-level', () => {
  test('is told and changed at run time, in the workers too, also in those that start later', async () => {
    const { program, control } = await start('http', folder, '--listen', 'tcp://127.0.0.1:0', '--workers', '1');
    expect((await ask('log-level', '--control', control)).stdout).toBe('info\n');
    expect((await ask('log-level', 'debug', '--control', control)).stdout).toBe('debug\n');
    const refused = async (): Promise<void> => {
      const client = await connectClient(program.endpoints.http?.[0] ?? '');
      client.send('GARBAGE\r\n\r\n');
      await client.receiveAll();
      client.end();
    };
    const debugLines = (): number => program.stderr().match(/"level":20/g)?.length ?? 0;
    await refused();
    await eventually(() => debugLines() === 1);
    expect((await ask('reload', '--control', control)).status).toBe(0);
    await refused();
    await eventually(() => debugLines() === 2);
    expect((await ask('log-level', 'error', '--json', '--control', control)).stdout).toBe('{"level":"error"}\n');
    await refused();
    expect(debugLines()).toBe(2);
  });
});

test('a reload without workers reads the certificates alone, and its answer says so', async () => {
  const { certFile, keyFile } = makeCertificate('localhost');
  const tls = ['--listen', 'tls://127.0.0.1:0', '--tls-cert', certFile, '--tls-key', keyFile];
  const { control } = await start('telnet', '--workers', '0', ...tls);
  expect((await ask('reload', '--control', control)).stdout).toBe('reloaded; kept until a restart: code\n');
});

describe('a mistake', () => {
  test.each([
    [['log-level', 'loud'], "wellknown log-level: LEVEL is 'loud', allowed is debug, info, warn, error\n"],
    [
      ['connections', '--remote', '10.0.0.1/8'],
      "wellknown connections: --remote '10.0.0.1/8': '10.0.0.1/8' has bits beyond its prefix of 8; allowed is ADDRESS or ADDRESS/PREFIX\n",
    ],
    [
      ['connections', '--json', 'close', '1.2'],
      "wellknown connections: unexpected argument 'close'; close comes first, as in 'wellknown connections close ID'\n",
    ],
    [['connections', '--reset'], "wellknown connections: --reset goes with 'wellknown connections close ID'\n"],
    [
      ['connections', 'close', '1.2', '--service', 'ftp'],
      'wellknown connections close: --service is for the list: close takes one ID of it\n',
    ],
    [['connections', 'close'], "wellknown connections close: ID is missing: 'wellknown connections' lists them\n"],
  ])('%j is refused with what is allowed', async (argv, stderr) => {
    expect(await ask(...argv)).toEqual({ status: 2, stdout: '', stderr });
  });

  test('that the supervisor itself answers is told as it is, without the way to another one', async () => {
    // Where `up` has it: no --control is needed, and none would help.
    const control = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'wellknown.sock');
    const program = await startProgram([
      ...WELLKNOWN,
      ...['echo', '--listen', 'tcp://127.0.0.1:0', '--workers', '1', '--control', control],
    ]);
    onTestFinished(async () => {
      await program.stop();
    });
    const before = process.env.XDG_RUNTIME_DIR;
    process.env.XDG_RUNTIME_DIR = path.dirname(control);
    try {
      expect(await ask('connections', '--service', 'gopher')).toEqual({
        status: 1,
        stdout: '',
        stderr: "wellknown connections: there is no service 'gopher', there is echo\n",
      });
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, 'XDG_RUNTIME_DIR');
      else process.env.XDG_RUNTIME_DIR = before;
    }
  });

  test('is a path on which something else listens', async () => {
    const control = path.join(folder, 'other');
    const other = net.createServer((socket) => socket.end('220 hello\r\n')).listen(control);
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    expect(await ask('status', '--control', control)).toEqual({
      status: 1,
      stdout: '',
      stderr: `wellknown status: ${control}: what listens there is no supervisor\n`,
    });
  });
});

test('a request that is too long is told so, and the connection ends', async () => {
  const { control } = await start('echo', '--listen', 'udp://127.0.0.1:0', '--workers', '1');
  const client = await connectClient(`unix:${control}`);
  client.send(`${JSON.stringify({ command: 'connections', remote: 'x'.repeat(5_000) })}\n`);
  expect(await client.receiveAll()).toBe('{"ok":false,"error":"a request is at most 4096 bytes"}\n');
});

test('a supervisor that has stopped is not waited for without end', async () => {
  const control = path.join(folder, 'stopped');
  const silent = net.createServer().listen(control);
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { status, stderr } = await ask('status', '--control', control);
  expect([status, stderr]).toEqual([1, expect.stringContaining('it has not answered within 10 s')]);
});

test('the end of a stop is no connection that was cut: its client hears the last of it, the path is gone, the log is quiet', async () => {
  const { program, control } = await start('echo', '--listen', 'udp://127.0.0.1:0', '--workers', '1');
  // One that asks nothing, and goes as soon as it is told to.
  const idle = net.connect(control);
  idle.resume();
  await once(idle, 'connect');
  expect(await ask('stop', '--control', control)).toMatchObject({ status: 0 });
  expect(existsSync(control)).toBe(false);
  await program.stop();
  expect(program.stderr()).not.toMatch(/still open|are cut|are waited for/);
});
