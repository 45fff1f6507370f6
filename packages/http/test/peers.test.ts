// The program under load from tools that count every error: wrk through a reload and an upgrade, h2load over HTTP/2,
// slowhttptest in three ways.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually, lacks, startProgram, type Program } from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { programArguments, ROOT } from '../../../test/programs.ts';

const run = promisify(execFile);
const PROGRAM = programArguments('packages/http/src/main.ts');

let site = '';
beforeAll(() => {
  site = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-peers-'));
  fs.writeFileSync(path.join(site, 'a.txt'), 'a'.repeat(1_000));
  fs.writeFileSync(path.join(site, 'big.bin'), Buffer.alloc(8_000_000));
});
afterAll(() => fs.rmSync(site, { recursive: true }));

const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
});
async function start(...args: string[]): Promise<{ program: Program; port: string }> {
  const program = await startProgram([...PROGRAM, site, '--drain-timeout', '2', ...args], { cwd: ROOT });
  programs.push(program);
  return { program, port: /:(\d+)$/.exec(program.endpoints.http?.[0] ?? '')?.[1] ?? '' };
}

test.skipIf(lacks('wrk'))(
  'wrk sees no error while all workers are replaced, nor while the whole program is',
  async () => {
    const pidFile = path.join(site, 'primary.pid');
    const { program, port } = await start(
      '--workers',
      '2',
      '--listen',
      'tcp://127.0.0.1:0',
      '--log-format',
      'json',
      '--pid-file',
      pidFile,
    );
    // It is ended, and then tells what it saw, once both are done: how long they take is not known.
    const load = run('wrk', ['-t1', '-c16', '-d60s', `http://127.0.0.1:${port}/a.txt`]);
    const hasEnded = load.then(() => true);
    try {
      program.signal('SIGHUP');
      await eventually(() => program.stderr().includes('"reloaded"'), { timeoutMs: 40_000 });
      program.signal('SIGUSR2');
      expect(await Promise.race([program.exited, hasEnded])).toBe(0);
    } finally {
      load.child.kill('SIGINT');
      await hasEnded.catch(() => undefined);
      const successor = Number(fs.readFileSync(pidFile, 'utf8'));
      process.kill(successor, 'SIGTERM');
      await eventually(() => !isAlive(successor), { timeoutMs: 40_000 });
      expect(successor).not.toBe(program.pid);
    }
    const { stdout } = await load;
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
    expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(100);
  },
  90_000,
);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.skipIf(lacks('h2load'))(
  'h2load counts no failure either while all workers are replaced, and all that it sent is answered',
  async () => {
    const { certFile, keyFile } = makeCertificate('localhost');
    const log = path.join(site, 'h2-access.log');
    const { program, port } = await start(
      '--workers',
      '2',
      '--listen',
      'tls://127.0.0.1:0',
      '--tls-cert',
      certFile,
      '--tls-key',
      keyFile,
      '--log-format',
      'json',
      '--access-log',
      log,
    );
    const load = run('h2load', ['-D', '4', '-c', '4', '-m', '8', `https://127.0.0.1:${port}/a.txt`]);
    // Once it is under way: a session that ends in its first moments proves nothing.
    await eventually(() => fs.statSync(log).size >= 100_000);
    program.signal('SIGHUP');
    const { stdout } = await load;
    await program.stop();
    expect(program.stderr()).toContain('reloaded');
    expect(stdout).toContain(' 0 failed, 0 errored, 0 timeout');
    const { groups: { succeeded = '' } = {} } = / (?<succeeded>\d+) succeeded/.exec(stdout) ?? {};
    const lines = fs.readFileSync(log, 'utf8').trim().split('\n');
    const isAnswered = (line: string): boolean => line.includes('" 200 1000 ');
    expect(Number(succeeded)).toBeGreaterThan(100);
    expect(lines.filter(isAnswered).length).toBeGreaterThanOrEqual(Number(succeeded));
    // 499: what was under way when the load ended, at most all streams of all connections.
    expect(lines.filter((line) => !isAnswered(line)).every((line) => line.includes('" 499 '))).toBe(true);
    expect(lines.length - Number(succeeded)).toBeLessThanOrEqual(32);
  },
  40_000,
);

test.skipIf(lacks('h2load'))(
  'h2load gets all its responses over HTTP/2, and over HTTP/1.1 with pipelining',
  async () => {
    const { certFile: cert, keyFile: key } = makeCertificate('localhost');
    const { port } = await start(
      '--workers',
      '0',
      '--listen',
      'tls://127.0.0.1:0',
      '--tls-cert',
      cert,
      '--tls-key',
      key,
    );
    for (const protocol of [[], ['--h1']]) {
      const { stdout } = await run('h2load', [
        ...protocol,
        '-n',
        '2000',
        '-c',
        '8',
        '-m',
        '16',
        `https://127.0.0.1:${port}/a.txt`,
      ]);
      expect(stdout).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout');
    }
  },
  40_000,
);

describe.skipIf(lacks('slowhttptest'))('slowhttptest', () => {
  // Seconds stand for the minutes of an attack: limits are tested with a clock elsewhere, here it is that others are
  // served meanwhile.
  test.each([
    ['slow heads', ['-H', '-i', '1']],
    ['slow content', ['-B', '-i', '1', '-s', '8192']],
    ['a slow reader', ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32']],
  ])(
    'with %s does not take the service away',
    async (_, options) => {
      const { port } = await start('--workers', '0', '--listen', 'tcp://127.0.0.1:0');
      const folder = fs.mkdtempSync(path.join(site, 'slow-'));
      const { stdout } = await run(
        'slowhttptest',
        [...options, '-c', '200', '-r', '200', '-l', '3', '-p', '3', '-u', `http://127.0.0.1:${port}/big.bin`],
        { cwd: folder, env: { ...process.env, TERM: 'dumb' } },
      );
      expect(stdout).toMatch(/service available:\S*\s+\S*YES/);
      expect(stdout).not.toMatch(/service available:\S*\s+\S*NO\b/);
    },
    40_000,
  );
});
