// `wellknown ping` as a user runs it.

import { spawn } from 'node:child_process';
import { createServer, type Server } from '@wellknown/core';
import { eventually, lacks, runProgram } from '@wellknown/core/testing';
import { createEchoServer, smallServiceProtocol, type ProbeReport } from '@wellknown/echo-udp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveLine, reportJson, reportTable } from '../src/ping-report.ts';
import { run } from '../src/run.ts';
import { runHere } from '../../../test/command-line.ts';
import { programArguments } from '../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');
const ping = (...args: string[]) => runProgram([...WELLKNOWN, 'ping', ...args]);

const servers: Server[] = [];
let echoUrl = '';
let stampUrl = '';
beforeAll(async () => {
  const echo = createEchoServer({ listen: 'udp://127.0.0.1:0' });
  const stamp = createServer({ protocol: smallServiceProtocol('stamp'), listen: 'udp://127.0.0.1:0' });
  servers.push(echo, stamp);
  echoUrl = (await echo.listen())[0]?.url ?? '';
  stampUrl = (await stamp.listen())[0]?.url ?? '';
});
afterAll(() => Promise.all(servers.map((server) => server.close({ graceMs: 0 }))));

const REPORT: ProbeReport = {
  target: 'udp://192.0.2.1:7',
  bytes: 64,
  sent: 1_000,
  received: 980,
  lost: 15,
  waiting: 5,
  duplicates: 2,
  reordered: 3,
  late: 4,
  corrupted: 0,
  refused: 0,
  unsent: 0,
  droppedHere: 0,
  durationMs: 10_012.3,
  roundTripMs: { min: 0.1234, mean: 1.5, p50: 1.2, p99: 15.123, max: 123.456 },
};

describe('the report', () => {
  test('as a table names what always matters, and troubles only where there are any', () => {
    expect(reportTable(REPORT).split('\n')).toEqual([
      'udp://192.0.2.1:7',
      '  sent                        1000 of 64 bytes in 10.0 s',
      '  received                    980',
      '  lost                        15 (1.51%)',
      '  duplicates                  2',
      '  reordered                   3',
      '  late, after they were lost  4',
      '  round trip                  min 0.123 ms  p50 1.200 ms  p99 15.12 ms  max 123.5 ms',
      '',
    ]);
  });

  test('tells of the rate of an echo when probes that came faster were lost, and only then', () => {
    expect(reportTable({ ...REPORT, durationMs: 9_900 })).toContain(
      "  note                        an echo may limit each source; wellknown's answers 100 a second",
    );
    expect(reportTable({ ...REPORT, durationMs: 9_900, lost: 0 })).not.toContain('note');
    expect(reportTable({ ...REPORT, droppedHere: 3 })).toContain('  dropped by this machine     3');
  });

  test('as JSON has every count as a number and times in milliseconds', () => {
    expect(JSON.parse(reportJson(REPORT))).toEqual({
      target: 'udp://192.0.2.1:7',
      bytes: 64,
      sent: 1_000,
      received: 980,
      lost: 15,
      waiting: 5,
      lostPercent: 1.508,
      duplicates: 2,
      reordered: 3,
      late: 4,
      corrupted: 0,
      refused: 0,
      unsent: 0,
      droppedHere: 0,
      durationMs: 10_012,
      roundTripMs: { min: 0.123, mean: 1.5, p50: 1.2, p99: 15.123, max: 123.456 },
    });
    expect(JSON.parse(reportJson({ ...REPORT, roundTripMs: undefined }))).toMatchObject({ roundTripMs: null });
  });

  test('as a line never fills the terminal, so that it can be overwritten', () => {
    expect(liveLine(REPORT, 200)).toBe(
      '1000 sent  980 received  1.5% lost  2 twice  3 reordered  p50 1.200 ms  max 123.5 ms',
    );
    expect(liveLine(REPORT, 40)).toHaveLength(39);
  });
});

describe('the program', () => {
  test('prints the table and ends with status 0', async () => {
    const { status, stdout, stderr } = await ping(echoUrl, '--count', '5', '--interval', '0.01', '--size', '1000');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^udp:\/\/127\.0\.0\.1:\d+\n {2}sent +5 of 1000 bytes in [\d.]+ s\n {2}received +5\n {2}lost +0 \(0\.00%\)\n {2}duplicates +0\n {2}reordered +0\n {2}round trip +min [\d.]+ ms {2}p50 [\d.]+ ms {2}p99 [\d.]+ ms {2}max [\d.]+ ms\n$/,
    );
  });

  test('prints one JSON object, from a STAMP reflector too', async () => {
    const { status, stdout } = await ping(stampUrl, '--stamp', '--json', '--count', '3', '--interval', '0.01');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ target: stampUrl, sent: 3, received: 3, lost: 0, corrupted: 0 });
  });

  test('ends with status 1 when no answer comes, and says so', async () => {
    // The reflector takes echo's probes for too short ones.
    const { status, stdout } = await ping(
      stampUrl,
      '--size',
      '43',
      '--count',
      '2',
      '--interval',
      '0.01',
      '--timeout',
      '0.2',
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/lost +2 \(100\.00%\)/);
  });

  test('INT ends an endless run with its report and status 0', async () => {
    const child = spawn(process.execPath, [...WELLKNOWN, 'ping', echoUrl, '--count', '0', '--interval', '0.01'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const [echo] = servers;
    const received = async (): Promise<number> => (await echo!.status()).services[0]!.datagrams.received;
    const before = await received();
    await eventually(async () => (await received()) >= before + 3);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(output).toMatch(/lost +0 /);
  });

  // A terminal to show the live line on.
  test.skipIf(lacks('script'))('shows a line that is overwritten on a terminal, and wipes it at the end', async () => {
    const command = [process.execPath, ...WELLKNOWN, 'ping', echoUrl, '--count', '4', '--interval', '0.15']
      .map((word) => `'${word}'`)
      .join(' ');
    // Not synchronously: the server that answers is in this process.
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await new Promise((resolve) => child.once('close', resolve));
    expect(output).toMatch(/\r\u001b\[K\d sent {2}\d received {2}0\.0% lost {2}p50 [\d.]+ ms/);
    expect(output).toMatch(/\r\u001b\[Kudp:\/\/127\.0\.0\.1:\d+\r\n/);
  });

  test.each([
    [[], 'the endpoint is missing, as in udp://127.0.0.1:8007'],
    [['tcp://127.0.0.1:7'], 'expected udp://HOST:PORT'],
    [['udp://:7'], 'expected udp://HOST:PORT'],
    [['udp://127.0.0.1:7', '--count', 'many'], '--count'],
    [['udp://127.0.0.1:7', '--interval', '0.0001'], '--interval'],
    [['udp://127.0.0.1:7', '--size', '11'], '--size'],
    [['udp://127.0.0.1:7', '--stamp', '--size', '43'], 'from 44 to 65507'],
    [['udp://127.0.0.1:7', '--timeout', '61'], '--timeout'],
    [['udp://127.0.0.1:7', '--loud'], 'unknown option --loud'],
  ])('%j ends with status 2 and says why', async (args, words) => {
    const { status, stdout, stderr } = await runHere(() => run(['ping', ...args]));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test('a name that is not known ends with status 1 and names it', async () => {
    const { status, stderr } = await ping('udp://no-such-host.invalid:7');
    expect(status).toBe(1);
    expect(stderr).toContain('no-such-host.invalid');
  });
});
