// inetd's `wait`: real programs that are given the listening socket, written in the way of programs for inetd: blocking
// calls on descriptor 0.

import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createExecServer, createWaitServer, type WaitServerOptions } from '../../src/inetd/index.ts';
import { socket } from '../../src/socket/index.ts';
import { type Server } from '../../src/index.ts';
import { connectClient, createFakeClock, eventually, startProgram, type Program } from '../../src/testing/index.ts';
import { isAlive } from '../fixtures/identify.ts';
import { testWith } from '../fixtures/system-programs.ts';
import { programArguments } from '../../../../test/programs.ts';

const servers: Server[] = [];
const programs: Program[] = [];
const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-wait-'));
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
  await Promise.all(programs.splice(0).map((program) => program.stop()));
});

/** Serves so many connections, one after the other, and ends. */
const accepts = (count: number): Pick<WaitServerOptions, 'program' | 'arguments'> => ({
  program: 'perl',
  arguments: [
    '-e',
    `for (1..${count}) { accept(C, STDIN) or die "accept: $!"; syswrite(C, "$$ $ENV{PROTO} " . ($ENV{TCPLOCALPORT} // $ENV{UNIXLOCALPATH}) . "\\n"); close(C); }`,
  ],
});

/** Answers one datagram and ends. */
const ANSWERS: Pick<WaitServerOptions, 'program' | 'arguments'> = {
  program: 'perl',
  arguments: [
    '-e',
    'my $peer = recv(STDIN, my $message, 2000, 0) // die "recv: $!"; send(STDOUT, "$$ $ENV{PROTO} $ENV{UDPLOCALPORT} $message", 0, $peer);',
  ],
};

async function serve(
  options: Partial<WaitServerOptions> & Pick<WaitServerOptions, 'program'>,
): Promise<{ server: Server; url: string }> {
  const server = createWaitServer({ listen: 'tcp://127.0.0.1:0', drainTimeoutMs: 500, ...options });
  servers.push(server);
  const [bound] = await server.listen();
  return { server, url: bound?.url ?? '' };
}

const counters = async (server: Server): Promise<Readonly<Record<string, number>>> =>
  (await server.status()).services[0]?.counters ?? {};

async function ask(url: string): Promise<string[]> {
  const client = await connectClient(url);
  const answer = await client.receiveAll();
  client.end();
  return answer.trim().split(' ');
}

async function askDatagram(url: string, message: string): Promise<string[]> {
  await using peer = socket('datagram');
  await peer.connect(url);
  await peer.write(message);
  return Buffer.from(await peer.read())
    .toString()
    .split(' ');
}

describe('a program for the peers that come', () => {
  test('accepts by itself from descriptor 0, and knows where it listens', async () => {
    const { url } = await serve(accepts(2));
    const first = await ask(url);
    expect(first.slice(1)).toEqual(['TCP', url.split(':').at(-1)]);
    // The same program, since it has not ended; then another one.
    expect(await ask(url)).toEqual(first);
    expect((await ask(url))[0]).not.toBe(first[0]);
  });

  test.each([
    ['a path', `unix:${folder}/wait.sock`],
    ['an abstract name', `unix:@wellknown-wait-${process.pid}`],
  ])('on a unix socket with %s', async (_kind, listen) => {
    const { url } = await serve({ ...accepts(1), listen });
    expect((await ask(url)).slice(1)).toEqual(['UNIX', listen.slice('unix:'.length)]);
    expect((await ask(url)).slice(1)).toEqual(['UNIX', listen.slice('unix:'.length)]);
  });

  test('finds the datagram that it was started for', async () => {
    const { url } = await serve({ ...ANSWERS, listen: 'udp://127.0.0.1:0' });
    const first = await askDatagram(url, 'one');
    expect(first.slice(1)).toEqual(['UDP', url.split(':').at(-1), 'one']);
    const second = await askDatagram(url, 'two');
    expect(second.slice(3)).toEqual(['two']);
    expect(second[0]).not.toBe(first[0]);
  });

  test('who comes while it runs or ends is served by the next one', async () => {
    const { url, server } = await serve(accepts(1));
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    expect(new Set(answers.map(([pid]) => pid)).size).toBe(6);
    expect(await counters(server)).toMatchObject({ starts: 6, failures: 0 });
  });

  test('several listeners have a program each, at the same time', async () => {
    const server = createWaitServer({ ...accepts(2), listen: ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'] });
    servers.push(server);
    const [first, second] = await server.listen();
    const pids = [await ask(first!.url), await ask(second!.url)].map(([pid]) => pid);
    expect(new Set(pids).size).toBe(2);
    expect(await counters(server)).toMatchObject({ running: 2 });
    expect([await ask(first!.url), await ask(second!.url)].map(([pid]) => pid)).toEqual(pids);
  });
});

describe('a program that does not take what waits', () => {
  test('is started as often as the limit says, then not again until the pause is over', async () => {
    const clock = createFakeClock();
    const lines: string[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_fields: object, text: string) => void lines.push(text),
    };
    const { url, server } = await serve({ program: 'true', clock, log, maxStartsPerMinute: 3, pauseMs: 7_000 });
    const client = await connectClient(url);
    await eventually(async () => (await counters(server)).paused === 1);
    expect(await counters(server)).toMatchObject({ starts: 3, pauses: 1, running: 0 });
    expect(lines).toEqual([
      expect.stringContaining('started 3 times within a minute, it is not started again for 7 s'),
    ]);
    clock.advance(6_999);
    expect(await counters(server)).toMatchObject({ starts: 3, paused: 1 });
    clock.advance(1);
    await eventually(async () => (await counters(server)).pauses === 2);
    expect(await counters(server)).toMatchObject({ starts: 6 });
    client.reset();
  });

  test('and fails at once is started again after a pause that grows', async () => {
    const clock = createFakeClock();
    const { url, server } = await serve({ program: 'false', clock });
    const client = await connectClient(url);
    await eventually(async () => (await counters(server)).paused === 1);
    clock.advance(100);
    await eventually(async () => (await counters(server)).pauses === 2);
    clock.advance(149);
    expect(await counters(server)).toMatchObject({ starts: 2, failures: 2, paused: 1 });
    clock.advance(1);
    await eventually(async () => (await counters(server)).pauses === 3);
    client.reset();
  });

  test('and is not there any more is a failure like another', async () => {
    const program = path.join(folder, 'gone');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const { url, server } = await serve({ program, clock: createFakeClock() });
    rmSync(program);
    const client = await connectClient(url);
    await eventually(async () => (await counters(server)).paused === 1);
    expect(await counters(server)).toMatchObject({ starts: 1, failures: 1 });
    client.reset();
  });
});

describe('closing', () => {
  /** Says its process id on a connection and keeps the socket. */
  const STAYS = (onTerm: string): Pick<WaitServerOptions, 'program' | 'arguments'> => ({
    program: 'perl',
    arguments: [
      '-e',
      `$SIG{TERM} = ${onTerm}; while (1) { accept(C, STDIN) or next; syswrite(C, "$$\\n"); close(C); }`,
    ],
  });

  test('tells the program at once, since only it can stop letting people in', async () => {
    const { url, server } = await serve(STAYS('sub { exit 0 }'));
    const [pid] = await ask(url);
    await server.close({ graceMs: 60_000 });
    expect(isAlive(Number(pid))).toBe(false);
    await expect(connectClient(url)).rejects.toThrow();
  });

  test('ends a program that does not listen when the grace is over, and not before', async () => {
    const clock = createFakeClock();
    const { url, server } = await serve({ ...STAYS("'IGNORE'"), clock });
    const pid = Number((await ask(url))[0]);
    const closing = server.close({ graceMs: 5_000 });
    clock.advance(4_999);
    // It goes on serving: it has the socket.
    expect(Number((await ask(url))[0])).toBe(pid);
    clock.advance(1);
    await closing;
    expect(isAlive(pid)).toBe(false);
  });

  test('in a pause needs no program', async () => {
    const { url, server } = await serve({ program: 'true', clock: createFakeClock(), maxStartsPerMinute: 1 });
    const client = await connectClient(url);
    await eventually(async () => (await counters(server)).paused === 1);
    await server.close();
    client.reset();
  });

  test.each(['tcp://127.0.0.1:0', 'udp://127.0.0.1:0', `unix:${folder}/close.sock`])(
    'of %s leaves no descriptor, and closes no number twice',
    async (listen) => {
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      const before = descriptors();
      const { server } = await serve({ program: 'true', listen });
      await server.close();
      // They get the numbers that have just become free.
      const files = Array.from({ length: 64 }, () => openSync('/dev/null', 'r'));
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
      for (const file of files) expect(fstatSync(file).isCharacterDevice()).toBe(true);
      for (const file of files) closeSync(file);
      await eventually(() => descriptors() <= before);
      expect(readdirSync(folder)).not.toContain('close.sock');
    },
  );
});

describe('what is wrong is said at the start', () => {
  test('a program that is not there', async () => {
    await expect(
      createWaitServer({ program: '/no/such/program', listen: 'tcp://127.0.0.1:0' }).listen(),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('an address that is taken, and what was bound before it is free again', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const listen = [`unix:${folder}/first.sock`, `tcp://127.0.0.1:${port}`];
    await expect(createWaitServer({ program: 'true', listen }).listen()).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    });
    expect(readdirSync(folder)).not.toContain('first.sock');
    await new Promise((resolve) => taken.close(resolve));
  });

  test('a second listen, and limits that are none', async () => {
    const { server } = await serve({ program: 'true' });
    await expect(server.listen()).rejects.toMatchObject({ code: 'WRONG_STATE' });
    expect(() => createWaitServer({ program: 'true', listen: 'tcp://127.0.0.1:0', maxStartsPerMinute: 0 })).toThrow(
      /maxStartsPerMinute.*is 0.*from 1/,
    );
    expect(() => createWaitServer({ program: 'true', listen: 'tcp://127.0.0.1:0', pauseMs: Number.NaN })).toThrow(
      /pauseMs/,
    );
    expect(() => server.scale(1)).toThrow('a server without workers cannot be scaled: the program serves by itself');
    await expect(server.upgrade()).rejects.toMatchObject({ code: 'WRONG_STATE' });
  });
});

describe('a reload', () => {
  // Programs with the same name in two folders of PATH.
  const names = ['first', 'second'].map((name) => path.join(folder, name));
  const PATH_BEFORE = process.env.PATH;
  afterEach(() => (process.env.PATH = PATH_BEFORE));

  function install(which: number, words: string): string {
    const file = path.join(names[which]!, 'answer');
    mkdirSync(names[which]!, { recursive: true });
    writeFileSync(
      file,
      `#!/usr/bin/env perl\nif (-S STDIN && accept(C, STDIN)) { print C "${words}\\n" } else { print "${words}\\n" }\n`,
      { mode: 0o755 },
    );
    return file;
  }

  test.each([
    ['each connection', createExecServer],
    ['the listening socket', createWaitServer],
  ])('has the next client served by the program that is now in PATH (%s)', async (_kind, create) => {
    process.env.PATH = `${names.join(':')}:${PATH_BEFORE ?? ''}`;
    const second = install(1, 'the second');
    const server = create({ program: 'answer', listen: 'tcp://127.0.0.1:0', drainTimeoutMs: 500 });
    servers.push(server);
    const [bound] = await server.listen();
    const said = async (): Promise<string> => (await ask(bound!.url)).join(' ');
    expect(await said()).toBe('the second');
    const first = install(0, 'the first');
    expect(await said()).toBe('the second');
    await server.reload();
    expect(await said()).toBe('the first');
    // There is none any more: that is said, and the old path stays.
    for (const file of [first, second]) rmSync(file);
    await expect(server.reload()).rejects.toMatchObject({
      code: 'RELOAD_FAILED',
      message: expect.stringContaining(`stays ${first}: the program 'answer' is not there`) as string,
    });
    install(0, 'back again');
    expect(await said()).toBe('back again');
    rmSync(first);
  });
});

const EXEC = programArguments('packages/core/test/fixtures/run-exec-program.ts');
const asArguments = ({ program, arguments: rest = [] }: Pick<WaitServerOptions, 'program' | 'arguments'>): string[] => [
  '--',
  program,
  ...rest,
];

describe('as a program', () => {
  test('serves, counts in its status, and ends with status 0 after TERM', async () => {
    const program = await startProgram([
      ...EXEC,
      '--wait',
      '--listen',
      'tcp://127.0.0.1:0',
      '--listen',
      'udp://127.0.0.1:0',
      ...asArguments(accepts(1)),
    ]);
    programs.push(program);
    const [tcp = '', udp = ''] = program.endpoints.exec ?? [];
    expect(udp).toMatch(/^udp:/);
    await ask(tcp);
    await ask(tcp);
    expect(await program.stop()).toBe(0);
  });

  test('stays alive through a pause, in which nothing but the pause is to be done', async () => {
    const program = await startProgram([
      ...EXEC,
      '--wait',
      '--listen',
      'tcp://127.0.0.1:0',
      '--max-starts',
      '1',
      '--pause',
      '0.2',
      '--',
      'true',
    ]);
    programs.push(program);
    const client = await connectClient(program.endpoints.exec?.[0] ?? '');
    await eventually(() => (program.stderr().match(/times within a minute/g) ?? []).length >= 2);
    client.reset();
    expect(await program.stop()).toBe(0);
  });

  test.each([
    ['runs it for each connection', []],
    ['gives it the listening socket', ['--wait']],
  ])('HUP ends nothing where it %s', async (_kind, options) => {
    const answers =
      options.length === 0 ? { program: 'perl', arguments: ['-e', '$| = 1; print "$$\\n"; <STDIN>'] } : accepts(2);
    const program = await startProgram([...EXEC, ...options, '--listen', 'tcp://127.0.0.1:0', ...asArguments(answers)]);
    programs.push(program);
    const [url = ''] = program.endpoints.exec ?? [];
    const client = await connectClient(url);
    const pid = Number.parseInt(await client.receive('\n'), 10);
    for (const [signal, words] of [
      ['SIGHUP', 'the program was looked for again'],
      ['SIGUSR2', 'a server without workers cannot be upgraded'],
      ['SIGTTIN', 'a server without workers cannot be scaled'],
      ['SIGTTOU', 'a server without workers cannot be scaled'],
    ] as const) {
      program.signal(signal);
      await eventually(() => program.stderr().includes(words));
    }
    expect(isAlive(pid)).toBe(true);
    client.end();
    const after = await connectClient(url);
    expect(await after.receive('\n')).toMatch(/^\d+/);
    after.end();
    expect(await program.stop()).toBe(0);
  });

  testWith('systemd-socket-activate', 'adopts sockets of systemd, as Accept=no, and leaves their path', async () => {
    const socketPath = path.join(folder, 'systemd.sock');
    const child = spawn(
      'systemd-socket-activate',
      [
        '-l',
        socketPath,
        '--fdname=entry',
        process.execPath,
        ...EXEC,
        '--wait',
        '--listen',
        'systemd:entry',
        ...asArguments(accepts(1)),
      ],
      { stdio: 'ignore' },
    );
    const exited = new Promise((resolve) => child.once('exit', resolve));
    // The path is there a moment before a program listens.
    let first: string[] | undefined;
    await eventually(async () => (first = await ask(`unix:${socketPath}`).catch(() => undefined)) !== undefined);
    expect(first?.slice(1)).toEqual(['UNIX', socketPath]);
    expect((await ask(`unix:${socketPath}`)).slice(1)).toEqual(['UNIX', socketPath]);
    child.kill('SIGTERM');
    await exited;
    expect(readdirSync(folder)).toContain('systemd.sock');
  });

  testWith('strace', 'never accepts and never receives: only the program does', async () => {
    const trace = path.join(folder, 'trace.txt');
    const args = [
      '-f',
      '-yy',
      '-e',
      'trace=accept,accept4,read,readv,recvfrom,recvmsg,recvmmsg,execve',
      '-o',
      trace,
      process.execPath,
      ...EXEC,
      '--wait',
      '--listen',
      'tcp://127.0.0.1:0',
      '--listen',
      'udp://127.0.0.1:0',
      '--',
    ];
    const either = `if ($ENV{PROTO} eq 'TCP') { ${accepts(1).arguments?.[1] ?? ''} } else { ${ANSWERS.arguments?.[1] ?? ''} }`;
    const child = spawn('strace', [...args, 'perl', '-e', either], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(() => /^ready$/m.test(output));
    const [, tcp = '', udp = ''] = /^listening exec (tcp:\S+)\nlistening exec (udp:\S+)$/m.exec(output) ?? [];
    const takers = [
      (await ask(tcp))[0],
      (await askDatagram(udp, 'x'))[0],
      (await ask(tcp))[0],
      (await askDatagram(udp, 'x'))[0],
    ];
    const lines = readFileSync(trace, 'utf8').split('\n');
    process.kill(Number(lines[0]?.split(' ')[0]), 'SIGTERM');
    await exited;
    const taking = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /^\d+ +\w+\(\d+<(?:TCP|UDP)/.test(line));
    expect(taking.map((line) => line.split(' ')[0])).toEqual(takers);
  });
});
