// systemd as the program meets it: sockets that are passed to it (systemd-socket-activate), and what it is told
// (systemd-notify, with a socket of our own in systemd's place).

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { askControl } from '../../src/control/client.ts';
import { eventually, lacks, runProgram, startProgram, unusedAddress } from '../../src/testing/index.ts';
import { connect, exchange, isAlive, PROGRAM } from '../fixtures/identify.ts';

const scratch = (): string => mkdtempSync(path.join(tmpdir(), 'wellknown-'));

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const outputOf = (child: ChildProcess): (() => string) => {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
};

describe.skipIf(lacks('systemd-socket-activate'))('sockets that systemd passes', () => {
  test('are adopted by their names, with workers, and stay for the next start; an upgrade hands them on', async () => {
    const { host, port } = await unusedAddress();
    const url = `tcp://${host}:${port}`;
    const unixPath = path.join(scratch(), 'activated');
    const pidFile = path.join(scratch(), 'pid');
    const activator = spawn(
      'systemd-socket-activate',
      [
        '-l',
        url.slice('tcp://'.length),
        '-l',
        unixPath,
        '--fdname=web:local',
        process.execPath,
        ...PROGRAM,
        '--workers',
        '2',
        '--listen',
        'systemd:web',
        '--listen',
        'systemd:local',
        '--drain-timeout',
        '1',
        '--pid-file',
        pidFile,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    ending.push(() => activator.kill('SIGKILL'));
    const stdout = outputOf(activator);
    let log = '';
    activator.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    await eventually(() => log.includes('Listening on') && existsSync(unixPath));
    // The first connection starts the program.
    const { client } = await connect(url);
    await eventually(() => stdout().includes('ready'));
    expect(stdout()).toBe(`listening identify ${url}\nlistening identify unix:${unixPath}\nready\n`);
    const { client: local } = await connect(`unix:${unixPath}`);
    await exchange(local, 'hello');
    local.end();
    client.end();

    activator.kill('SIGUSR2');
    const [status] = (await once(activator, 'exit')) as [number];
    expect(status).toBe(0);
    expect(stdout()).toContain(`ready\nlistening identify ${url}\nlistening identify unix:${unixPath}\nready\n`);
    const { client: after } = await connect(url);
    const { client: afterLocal } = await connect(`unix:${unixPath}`);
    await exchange(after, 'from the successor');
    await exchange(afterLocal, 'from the successor');
    const successor = Number(spawnSync('cat', [pidFile], { encoding: 'utf8' }).stdout);
    process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
    // It belongs to systemd.
    expect(existsSync(unixPath)).toBe(true);
  });

  test('fd://N is handed on by an upgrade too, though its number changes', async () => {
    const listener = net.createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    ending.push(() => listener.close());
    const { port } = listener.address() as net.AddressInfo;
    const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const pidFile = path.join(scratch(), 'pid');
    const child = spawn(
      process.execPath,
      [...PROGRAM, '--workers', '1', '--listen', 'fd://5', '--drain-timeout', '1', '--pid-file', pidFile],
      { stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'ignore', fd] },
    );
    ending.push(() => child.kill('SIGKILL'));
    const stdout = outputOf(child);
    await eventually(() => stdout().includes('ready'));
    child.kill('SIGUSR2');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(stdout().match(new RegExp(`^listening identify tcp://127.0.0.1:${port}$`, 'gm'))).toHaveLength(2);
    const successor = Number(spawnSync('cat', [pidFile], { encoding: 'utf8' }).stdout);
    process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
  });
});

test('what was given and has no effect is said once: sockets that no --listen names, and a --port-offset beside one', async () => {
  const passed = net.createServer().listen(0, '127.0.0.1');
  await once(passed, 'listening');
  ending.push(() => passed.close());
  const { fd } = (passed as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const child = spawn(
    'sh',
    [
      ...['-c', 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"', 'sh', process.execPath, ...PROGRAM],
      ...['--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--port-offset', '8000', '--log-format', 'json'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe', fd] },
  );
  ending.push(() => child.kill('SIGKILL'));
  const stdout = outputOf(child);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  await eventually(() => stdout().includes('ready'));
  child.kill('SIGTERM');
  await once(child, 'exit');
  const warnings = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level >= 40);
  expect(warnings.map(({ msg }) => msg)).toEqual([
    '--port-offset changes nothing: it is added to well-known ports, and --listen names its own',
    'systemd has passed sockets that nothing serves: ask for them with --listen systemd:web',
  ]);
});

describe.skipIf(lacks('systemd-notify', 'socat'))('systemd is told', () => {
  /** A datagram socket in systemd's place; what it was told, in order, without process ids. */
  async function manager(): Promise<{ path: string; told: () => string[] }> {
    const file = path.join(scratch(), 'notify');
    const child = spawn('socat', ['-u', `UNIX-RECV:${file}`, '-'], { stdio: ['ignore', 'pipe', 'ignore'] });
    ending.push(() => child.kill());
    const text = outputOf(child);
    await eventually(() => existsSync(file));
    return {
      path: file,
      told: () =>
        text()
          .match(/(?:READY|RELOADING|STOPPING|WATCHDOG|MONOTONIC_USEC)=\d+/g)
          ?.map((line) => line.replace(/(MONOTONIC_USEC)=\d+/, '$1')) ?? [],
    };
  }

  const withoutWatchdog = (told: readonly string[]): string[] => told.filter((line) => !line.startsWith('WATCHDOG'));

  async function startUnder(manager: string, control: string, env: Record<string, string> = {}) {
    const program = await startProgram(
      [...PROGRAM, '--workers', '1', '--listen', 'tcp://127.0.0.1:0', '--control', control, '--drain-timeout', '1'],
      { env: { NOTIFY_SOCKET: manager, ...env } },
    );
    ending.push(() => program.stop());
    return program;
  }

  test('that it is ready, reloading, ready again and stopping, in this order, whether a signal or the control socket asks', async () => {
    const { path: file, told } = await manager();
    const control = path.join(scratch(), 'control');
    const program = await startUnder(file, control);
    await eventually(() => told().length === 1);
    program.signal('SIGHUP');
    await eventually(() => told().length === 4);
    expect(await askControl(control, { command: 'reload' })).toMatchObject({ ok: true });
    await askControl(control, { command: 'stop' });
    expect(await program.exited).toBe(0);
    const reload = ['RELOADING=1', 'MONOTONIC_USEC', 'READY=1'];
    await eventually(() => told().length === 8);
    expect(told()).toEqual(['READY=1', ...reload, ...reload, 'STOPPING=1']);
  });

  test('that it runs, twice in each period of the watchdog', async () => {
    const { path: file, told } = await manager();
    await startUnder(file, path.join(scratch(), 'control'), { WATCHDOG_USEC: '200000' });
    await eventually(() => told().includes('READY=1') && told().filter((line) => line === 'WATCHDOG=1').length >= 3);
    expect(withoutWatchdog(told())).toEqual(['READY=1']);
  });
});

describe('a program that cannot have what it was asked for', () => {
  test('says before it binds that the pid file cannot be written', async () => {
    const file = path.join(scratch(), 'nowhere', 'pid');
    const { status, stdout, stderr } = await runProgram([
      ...PROGRAM,
      '--listen',
      'tcp://127.0.0.1:0',
      '--workers',
      '1',
      '--pid-file',
      file,
    ]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`--pid-file is '${file}', which can't be written (`);
    expect(stderr).toContain('; allowed is a path in a writable folder\n');
  });

  test.each(['0', '2'])('ends with status 1 when its control socket cannot be opened, workers %s', async (workers) => {
    const file = path.join(scratch(), 'nowhere', 'control');
    const { status, stdout, stderr } = await runProgram([
      ...PROGRAM,
      '--listen',
      'tcp://127.0.0.1:0',
      '--workers',
      workers,
      '--control',
      file,
    ]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`cannot listen on unix:${file}: the folder of the path does not exist: create it first`);
  });
});

test('TERM before it is ready ends it with status 0: it was asked to', async () => {
  const gate = path.join(scratch(), 'gate');
  const child = spawn(
    process.execPath,
    [...PROGRAM, '--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--hold', gate],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  ending.push(() => child.kill('SIGKILL'));
  const stdout = outputOf(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await eventually(() => stderr.includes('holding'));
  child.kill('SIGTERM');
  await eventually(() => stderr.includes('draining'));
  writeFileSync(gate, '');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(stdout()).toBe('');
});
