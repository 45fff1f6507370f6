// What docs/lifecycle.md says of the system calls, asked of the kernel: strace watches a program that uses every verb
// once.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DATAGRAM_VERBS, STREAM_VERBS } from '../../src/socket/index.ts';
import { lacksFeature } from '../../src/testing/index.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';

const DOCUMENT = readFileSync(path.join(ROOT, 'docs/lifecycle.md'), 'utf8');

const mayTrace = (): boolean => spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

/** The calls of the program's main thread, cut at the null signals that it sends to itself before each step. */
function tracedSteps(): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-strace-'));
  const file = path.join(folder, 'trace.txt');
  const program = programArguments('packages/core/test/fixtures/lifecycle-program.ts');
  execFileSync(
    'strace',
    ['-f', '-e', 'trace=network,read,write,kill,close', '-o', file, process.execPath, ...program],
    { timeout: 25_000 },
  );
  const lines = readFileSync(file, 'utf8').split('\n');
  rmSync(folder, { recursive: true });
  const main = lines[0]!.split(' ')[0]!;
  const calls = lines.filter((line) => line.startsWith(`${main} `)).map((line) => line.slice(main.length).trim());
  // Where another thread's call came between, strace writes one in two lines.
  return calls
    .join('\n')
    .replace(/ <unfinished \.\.\.>\n<\.\.\. \w+ resumed>/g, '')
    .split(new RegExp(`^kill\\(${main}, 0\\).*$`, 'm'))
    .slice(1);
}

describe.skipIf(lacksFeature('strace that may trace', mayTrace))('the system calls of each verb', () => {
  let steps: Readonly<Record<string, string>>;
  beforeAll(() => {
    const [
      bind = '',
      listen = '',
      connect = '',
      accept = '',
      transfer = '',
      shutdownRead = '',
      shutdownWrite = '',
      close = '',
      bindUdp = '',
      sendTo = '',
      connectUdp = '',
      closeUdp = '',
    ] = tracedSteps();
    steps = {
      bind,
      listen,
      connect,
      accept,
      transfer,
      shutdownRead,
      shutdownWrite,
      close,
      bindUdp,
      sendTo,
      connectUdp,
      closeUdp,
    };
  });

  test('bind makes the socket and binds it, and does not listen', () => {
    expect(steps.bind).toMatch(
      /^socket\(AF_INET, SOCK_STREAM.*\n(?:.*\n)*?setsockopt\(\d+, SOL_SOCKET, SO_REUSEADDR.*\nbind\(\d+, .*= 0$/m,
    );
    expect(steps.bind).not.toMatch(/^listen\(/m);
  });

  test('listen is only listen(2), with the backlog that was given', () => {
    expect(steps.listen).toMatch(/^listen\(\d+, 7\) += 0$/m);
    expect(steps.listen).not.toMatch(/^(?:socket|bind)\(/m);
  });

  test('connect makes its socket and connects; the listener accepts meanwhile, unasked', () => {
    expect(steps.connect).toMatch(/^socket\(AF_INET, SOCK_STREAM.*\n(?:.*\n)*?connect\(\d+, /m);
    expect(steps.connect).not.toMatch(/^bind\(/m);
    expect(`${steps.connect}${steps.accept}`.match(/^accept4\(.*= \d+$/gm)).toHaveLength(1);
  });

  test('write and read are write(2) and read(2)', () => {
    expect(steps.transfer).toMatch(/^write\(\d+, "ping", 4\) += 4$/m);
    expect(steps.transfer).toMatch(/^read\(\d+, "ping", 65536\) += 4$/m);
  });

  test('shutting reading down asks nothing of the kernel, shutting writing down does', () => {
    expect(steps.shutdownRead).not.toMatch(/^shutdown\(/m);
    expect(steps.shutdownWrite).toMatch(/^shutdown\(\d+, SHUT_WR\) += 0$/m);
    expect(Object.values(steps).join('')).not.toMatch(/SHUT_RD\b/);
  });

  test('a listener closes at once; a connection ends with shutdown first, and closes once its peer has ended too', () => {
    expect(steps.close).toMatch(/^close\(\d+\) += 0$/m);
    const [server] = /(?<=^shutdown\()\d+(?=, SHUT_WR)/m.exec(`${steps.close}${steps.bindUdp}${steps.sendTo}`) ?? [];
    expect(Object.values(steps).join('')).toMatch(
      new RegExp(`^shutdown\\(${server}, SHUT_WR\\)[^]*^close\\(${server}\\)`, 'm'),
    );
  });

  test('a datagram socket is bound by bind, or by its first sendTo to every address and a port of the kernel', () => {
    expect(steps.bindUdp).toMatch(/^socket\(AF_INET, SOCK_DGRAM.*\n(?:.*\n)*?bind\(\d+, .*127\.0\.0\.1.*= 0$/m);
    expect(steps.sendTo).toMatch(/^bind\(\d+, .*htons\(0\), .*"0\.0\.0\.0".*= 0$/m);
    expect(steps.sendTo).toMatch(/^sendmsg\(/m);
    expect(steps.sendTo).toMatch(/^recvmsg\(/m);
    expect(steps.connectUdp).toMatch(/^connect\(\d+, .*htons\(9\).*= 0$/m);
    expect(steps.closeUdp!.match(/^close\(/gm)!.length).toBeGreaterThanOrEqual(2);
  });
});

describe('docs/lifecycle.md', () => {
  test.each([
    ['stream', STREAM_VERBS],
    ['datagram', DATAGRAM_VERBS],
  ] as const)('shows which verbs a %s socket allows in each state as the table has it', (_type, verbs) => {
    for (const [state, allowed] of Object.entries<readonly string[]>(verbs)) {
      expect(DOCUMENT).toContain(`| \`${state}\` | ${allowed.map((verb) => `\`${verb}\``).join(' ')} |`);
    }
  });
});
