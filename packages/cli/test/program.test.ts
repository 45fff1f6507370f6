// The program as a user starts it, spoken to with clients of others.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectClient, lacks, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { runHere } from '../../../test/command-line.ts';
import { programArguments, ROOT } from '../../../test/programs.ts';
import { run } from '../src/run.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

const running: Program[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
});

async function start(...args: string[]): Promise<Program> {
  const program = await startProgram([...WELLKNOWN, ...args, '--drain-timeout', '1']);
  running.push(program);
  return program;
}

/** `up` has fixed ports: some offset is free. */
async function startUp(
  args: readonly string[] = [],
  wellknown = WELLKNOWN,
): Promise<{ program: Program; offset: number }> {
  let failure: unknown;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const offset = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      const program = await startProgram(
        [...wellknown, 'up', '--port-offset', String(offset), '--drain-timeout', '1', ...args],
        { cwd: ROOT },
      );
      running.push(program);
      return { program, offset };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** A client of the system. Missing, its test is skipped with the reason; in CI it fails. */
function testWith(client: string, name: string, run: () => Promise<void>): void {
  test.skipIf(lacks(client))(name, run);
}

function system(
  command: string,
  args: readonly string[],
  input = '',
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 20_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('latin1').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ status: code ?? -1, stdout, stderr }));
    child.stdin.end(input);
  });
}

const portOf = (program: Program, service: string): string => program.endpoints[service]?.[0]?.split(':').at(-1) ?? '';

describe('wellknown up', () => {
  testWith(
    'curl',
    'serves http, ftp, telnet and echo from one supervisor, and INT ends all of it with status 0',
    async () => {
      const { program, offset } = await startUp();
      expect(program.stdout()).toBe(
        `listening http tcp://127.0.0.1:${80 + offset}\nlistening ftp tcp://127.0.0.1:${21 + offset}\nlistening telnet tcp://127.0.0.1:${23 + offset}\nlistening echo udp://127.0.0.1:${7 + offset}\nready\n`,
      );
      const page = await system('curl', ['-sSi', `http://127.0.0.1:${80 + offset}/`]);
      expect(page.stdout).toContain('HTTP/1.1 200 OK');
      expect(page.stdout).toContain(`lftp -e 'ls; cat README.txt; quit' -p ${21 + offset} 127.0.0.1`);
      const file = await system('curl', ['-sS', `ftp://127.0.0.1:${21 + offset}/pub/hello.txt`]);
      expect(file.stdout).toBe('Hello from wellknown.\n');
      const telnet = await connectClient(`tcp://127.0.0.1:${23 + offset}`);
      await telnet.receive('Type');
      telnet.reset();
      program.signal('SIGINT');
      expect(await program.exited).toBe(0);
    },
  );

  test('serves from its sources, as `pnpm start` runs it', async () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    const [node, ...words] = scripts.start.split(' ');
    expect([node, ...words.slice(-3)]).toEqual(['node', 'up', '--port-offset', '8000']);
    const { program, offset } = await startUp([], words.slice(0, -3));
    const client = await connectClient(`tcp://127.0.0.1:${80 + offset}`);
    client.send('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    expect(await client.receiveAll()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.end();
    expect(await program.stop()).toBe(0);
  });

  testWith('curl', 'has one access log for its http and ftp', async () => {
    const log = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'access.log');
    const { program, offset } = await startUp(['--workers', '1', '--access-log', log]);
    await system('curl', ['-sS', `http://127.0.0.1:${80 + offset}/`]);
    await system('curl', ['-sS', `ftp://127.0.0.1:${21 + offset}/pub/hello.txt`]);
    expect(await program.stop()).toBe(0);
    const lines = readFileSync(log, 'utf8');
    expect(lines).toMatch(/"GET \/ HTTP\/1\.1" 200 /);
    expect(lines).toMatch(/ 127\.0\.0\.1 22 \/pub\/hello\.txt b _ o a /);
  });

  test('goes on serving while a worker is killed', async () => {
    const { offset } = await startUp(['--workers', '2']);
    const url = `tcp://127.0.0.1:${80 + offset}`;
    const get = async (): Promise<string> => {
      const client = await connectClient(url);
      client.send('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
      const answer = await client.receiveAll();
      client.end();
      return answer.slice(0, 15);
    };
    const [supervisor] = running;
    const workers = spawnSync('ps', ['-o', 'pid=', '--ppid', String(supervisor?.pid)], { encoding: 'utf8' })
      .stdout.trim()
      .split(/\s+/)
      .map(Number);
    expect(workers).toHaveLength(2);
    process.kill(workers[0] ?? 0, 'SIGSTOP');
    process.kill(workers[1] ?? 0, 'SIGSTOP');
    const answers = Array.from({ length: 20 }, get);
    process.kill(workers[0] ?? 0, 'SIGKILL');
    process.kill(workers[1] ?? 0, 'SIGCONT');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
  });
});

describe('the servers one by one', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
  writeFileSync(path.join(folder, 'hello.txt'), 'hello\n');
  const handler = path.join(folder, 'handler.mjs');
  writeFileSync(
    handler,
    'export default (request) => new Response(`you asked for ${new URL(request.url).pathname}`);\n',
  );

  testWith('curl', 'http serves a folder', async () => {
    const program = await start('http', folder, '--listen', 'tcp://127.0.0.1:0');
    expect((await system('curl', ['-sS', `http://127.0.0.1:${portOf(program, 'http')}/hello.txt`])).stdout).toBe(
      'hello\n',
    );
  });

  testWith('curl', 'http serves a fetch handler from a module', async () => {
    const program = await start('http', '--handler', handler, '--listen', 'tcp://127.0.0.1:0');
    expect((await system('curl', ['-sS', `http://127.0.0.1:${portOf(program, 'http')}/x/y`])).stdout).toBe(
      'you asked for /x/y',
    );
  });

  testWith('lftp', 'ftp lists and sends a folder to lftp', async () => {
    const program = await start('ftp', folder, '--listen', 'tcp://127.0.0.1:0');
    const { stdout } = await system('lftp', [
      '-e',
      'cls -1; cat hello.txt; quit',
      '-p',
      portOf(program, 'ftp'),
      '127.0.0.1',
    ]);
    expect(stdout).toContain('hello.txt');
    expect(stdout).toContain('hello\n');
  });

  testWith('script', 'telnet speaks to the telnet client on a terminal', async () => {
    const program = await start('telnet', '--listen', 'tcp://127.0.0.1:0');
    const { stdout } = await system(
      'script',
      ['-qec', `telnet 127.0.0.1 ${portOf(program, 'telnet')}`, '/dev/null'],
      'quit\n',
    );
    expect(stdout).toContain('Connected to 127.0.0.1');
    expect(stdout).toContain('demonstration session');
  });

  testWith('socat', 'echo sends datagrams back to socat', async () => {
    const program = await start('echo', '--listen', 'udp://127.0.0.1:0');
    expect((await system('socat', ['-', `UDP:127.0.0.1:${portOf(program, 'echo')}`], 'hello\n')).stdout).toBe(
      'hello\n',
    );
  });

  testWith('ncat', 'echo sends a stream back to ncat', async () => {
    const program = await start('echo', '--listen', 'tcp://127.0.0.1:0', '--workers', '0');
    expect((await system('ncat', ['127.0.0.1', portOf(program, 'echo')], 'hello\n')).stdout).toBe('hello\n');
  });
});

describe('a running supervisor', () => {
  const wellknown = (...args: string[]) => runProgram([...WELLKNOWN, ...args]);

  test('tells its status as a table and as JSON, is scaled, reloaded, upgraded and stopped by commands', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
    const [control, pidFile] = [path.join(folder, 'control'), path.join(folder, 'pid')];
    const files = ['--control', control, '--pid-file', pidFile];
    const program = await start('echo', '--listen', 'tcp://127.0.0.1:0', '--workers', '1', ...files);
    const client = await connectClient(program.endpoints.echo?.[0] ?? '');
    client.send('x');
    await client.receive('x');
    const table = (await wellknown('status', '--control', control)).stdout;
    expect(table).toContain(`supervisor ${program.pid}`);
    expect(table).toMatch(new RegExp(`echo +127\\.0\\.0\\.1:\\d+ +127\\.0\\.0\\.1:${client.localPort} +open`));
    client.end();
    expect(JSON.parse((await wellknown('status', '--json', '--control', control)).stdout)).toMatchObject({
      role: 'primary',
      pid: program.pid,
    });
    expect((await wellknown('scale', '2', '--control', control)).stdout).toBe('scaled: 2 workers\n');
    expect(JSON.parse((await wellknown('scale', '2', '--json', '--control', control)).stdout)).toEqual({ workers: 2 });
    expect((await wellknown('reload', '--control', control)).stdout).toBe('reloaded\n');
    const upgrade = await wellknown('upgrade', '--json', '--control', control);
    const upgraded = JSON.parse(upgrade.stdout) as { successor: number };
    expect(readFileSync(pidFile, 'utf8')).toBe(`${upgraded.successor}\n`);
    expect(await program.exited).toBe(0);
    expect((await wellknown('status', '--control', control)).stdout).toContain(`supervisor ${upgraded.successor}`);
    expect(await wellknown('stop', '--control', control)).toMatchObject({ status: 0, stdout: 'draining\n' });
    expect(await wellknown('status', '--control', control)).toMatchObject({
      status: 1,
      stderr: `wellknown status: no supervisor listens on ${control}\n`,
    });
  });

  test('that is not there is said, with the way to one that is', async () => {
    const nobody = { XDG_RUNTIME_DIR: mkdtempSync(path.join(tmpdir(), 'wellknown-')) };
    const { status, stderr } = await runProgram([...WELLKNOWN, 'status'], { env: nobody });
    expect(status).toBe(1);
    expect(stderr).toBe(
      `wellknown status: no supervisor listens on ${nobody.XDG_RUNTIME_DIR}/wellknown.sock; 'wellknown up' opens that one; any other server is reached by the PATH that it was started with, given to both as --control PATH\n`,
    );
  });

  test('exec runs a program for each connection', async () => {
    const program = await startProgram([
      ...WELLKNOWN,
      'exec',
      '--listen',
      'tcp://127.0.0.1:0',
      '--drain-timeout',
      '1',
      '--',
      'sh',
      '-c',
      'echo $TCPREMOTEPORT; cat',
    ]);
    running.push(program);
    const client = await connectClient(program.endpoints.exec?.[0] ?? '');
    expect(await client.receive('\n')).toBe(`${client.localPort}\n`);
    client.end();
    await client.receiveAll();
  });
});

describe('the command line', () => {
  test.each([
    [[], 'a command is missing'],
    [
      ['serve'],
      "unknown command 'serve', allowed are up, http, ftp, telnet, echo, exec, check, init, ping, status, reload, upgrade, scale, connections, log-level, drain, stop, completion, man; see --help",
    ],
    [['scale'], 'N is missing, allowed is a whole number from 1'],
    [['exec', '--max-age', '60', '--listen', 'tcp://127.0.0.1:0', '--', 'cat'], '--max-age is not for exec'],
    [['check'], 'there is no wellknown.config.* here'],
    [['scale', 'many'], "N is 'many', allowed is a whole number from 1"],
    [['exec', '--listen', 'tcp://127.0.0.1:0'], 'a program is missing'],
    [['exec', '--', 'cat'], '--listen is missing'],
    [['exec', '--workers', '2', '--', 'cat'], '--workers is not for exec'],
    [['exec', '--max-starts=3', '--listen', 'tcp://127.0.0.1:0', '--', 'cat'], '--max-starts goes with --wait'],
    [
      ['exec', '--wait', '--max-connections', '3', '--listen', 'tcp://127.0.0.1:0', '--', 'cat'],
      '--max-connections is not for exec --wait: PROGRAM accepts by itself',
    ],
    [['exec', '--listen', 'udp://127.0.0.1:0', '--', 'cat'], 'goes with --wait'],
    [
      ['exec', '--wait', '--max-starts', '0', '--listen', 'tcp://127.0.0.1:0', '--', 'cat'],
      "--max-starts is '0', allowed is a whole number from 1",
    ],
    [
      ['http', '--accept', 'wait'],
      "--accept is 'wait': this server serves by itself and runs no program; inetd's wait is 'wellknown exec --wait -- PROGRAM'",
    ],
    [['http', '--accept', 'toString'], "--accept is 'toString', allowed is inherit"],
    [['http', '--inetd', '--listen', 'tcp://:0'], '--inetd serves its standard input'],
    [['up', '--config', 'x.json'], "the configuration 'x.json' does not exist"],
    [['up', '--listen', 'tcp://:80'], '--listen is for one server alone'],
    [['http', '/nowhere/at/all'], '/nowhere/at/all'],
    [['http', '.', '--symlinks', 'maybe'], '--symlinks'],
    [['ftp', '/nowhere/at/all'], "ROOT is '/nowhere/at/all', which is not a directory: it does not exist"],
    [['ftp', '/etc/passwd'], "ROOT is '/etc/passwd', which is not a directory"],
    [
      ['http', '.', '--idle-timeout', '5x'],
      "--idle-timeout is '5x', allowed is a number from 0 (seconds, or with a unit as in 500ms, 5s",
    ],
    [['ftp', '.', '--tls-mode', 'required'], '--tls-mode needs --tls-cert and --tls-key'],
    [['ftp', '.', '--account', 'nopassword'], '--account'],
    [['echo', '--rate', '0'], "--rate is '0', allowed is a number from 1"],
    [['echo', '--max-datagram', '65508'], "--max-datagram is '65508', allowed is a whole number from 0 to 65507"],
    [['echo', '--listen', 'tcp://999.0.0.1:7'], "'999.0.0.1' is not an IPv4 address"],
  ])('%j ends with status 2 and says why', async (args, words) => {
    const { status, stdout, stderr } = await runHere(() => run(args));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test('a process ends with that status, says that, and nothing else', async () => {
    expect(await runProgram([...WELLKNOWN, 'echo', '--rate', '0'])).toEqual({
      status: 2,
      stdout: '',
      stderr: "wellknown echo: --rate is '0', allowed is a number from 1\n",
    });
  });

  test.each([
    [['--help'], 'usage: wellknown COMMAND'],
    [['up', '--help'], 'usage: wellknown up'],
    [['ftp', '--help'], '--account NAME:PASSWORD[:HOME]'],
    [['--version'], 'wellknown 0.'],
  ])('%j prints and ends with status 0', async (args, words) => {
    const { status, stdout, stderr } = await runHere(() => run(args));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(words);
  });

  test('a process that prints its version ends with status 0', async () => {
    expect(await runProgram([...WELLKNOWN, '--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^wellknown \d+\.\d+\.\d+\n$/) as string,
      stderr: '',
    });
  });
});
