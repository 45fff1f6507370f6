// The clients that people have, each on a pseudo-terminal of its own as a person has it: logs in, says lines, sees
// answers, changes its window, interrupts, leaves.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, lacks } from '@wellknown/core/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createTelnetServer, type TelnetHandler } from '../src/index.ts';

const SECRET = 'hunter2';

/** A session that shows all that a client can make happen. */
const everything: TelnetHandler = async (session) => {
  await session.ready;
  const name = await session.ask('login: ');
  const password = await session.ask('password: ', { mask: true });
  await session.print(`\nhello ${name ?? ''}, ${password === SECRET ? 'right' : `wrong: ${password ?? ''}`}`);
  session.on('resize', ({ columns, rows }) => void session.print(`[size ${columns}x${rows}]`));
  session.on('interrupt', () => void session.print('[interrupted]'));
  for await (const line of session.lines({ prompt: '> ' })) {
    if (line === 'keys') await keys();
    else if (line === 'leave') break;
    else await session.print(`[said ${line}]`);
  }
  await session.print('[goodbye]');

  async function keys(): Promise<void> {
    await session.print(`[mode ${await session.setMode('character')}]`);
    const raw = session.raw();
    for await (const bytes of raw) {
      await session.print(`[key ${Buffer.from(bytes).toString('hex')}]`);
      if (bytes.includes(0x71)) break;
    }
    raw.close();
    await session.print(`[mode ${await session.setMode('line')}]`);
  }
};

interface Client {
  readonly name: string;
  /** The program that is looked for. */
  readonly program: string;
  /** The command line, for a shell. */
  readonly command: (port: number) => string;
  /** On a pseudo-terminal, or with a pipe for its input. */
  readonly on: 'terminal' | 'pipe';
  readonly enter: string;
  /** It tells a change of its window. */
  readonly resizes?: true;
  /** ^C in line mode is an interrupt for the server. */
  readonly interrupts?: true;
  /** It has a character mode, and this is what Enter is then. */
  readonly keys?: true;
  /** It hides what is typed while we echo. */
  readonly hides?: true;
}

const CLIENTS: readonly Client[] = [
  {
    name: 'inetutils telnet',
    program: 'telnet',
    command: (port) => `telnet 127.0.0.1 ${port}`,
    on: 'terminal',
    enter: '\r',
    resizes: true,
    interrupts: true,
    keys: true,
    hides: true,
  },
  {
    name: 'netkit telnet',
    program: 'telnet-ssl',
    command: (port) => `telnet-ssl 127.0.0.1 ${port}`,
    on: 'terminal',
    enter: '\r',
    resizes: true,
    interrupts: true,
    keys: true,
    hides: true,
  },
  {
    name: "PuTTY's plink",
    program: 'plink',
    command: (port) => `plink -telnet -P ${port} 127.0.0.1`,
    on: 'terminal',
    enter: '\r',
    resizes: true,
    keys: true,
    hides: true,
  },
  {
    name: 'BusyBox telnet',
    program: 'busybox',
    command: (port) => `busybox telnet 127.0.0.1 ${port}`,
    on: 'terminal',
    enter: '\r',
    hides: true,
  },
  {
    name: 'TinTin++',
    program: '/usr/games/tt++',
    command: (port) => `/usr/games/tt++ -G -e '#session {a} {127.0.0.1} {${port}}'`,
    on: 'terminal',
    enter: '\r',
    hides: true,
  },
  {
    name: 'telnet-client of libtelnet',
    program: 'telnet-client',
    command: (port) => `telnet-client 127.0.0.1 ${port}`,
    on: 'terminal',
    enter: '\r',
    hides: true,
  },
  {
    name: 'C-Kermit',
    program: 'kermit',
    command: (port) => `kermit -Y -J 127.0.0.1 ${port}`,
    on: 'terminal',
    enter: '\r',
    hides: true,
  },
  {
    name: 'curl',
    program: 'curl',
    command: (port) => `curl -sN -T . telnet://127.0.0.1:${port}`,
    on: 'pipe',
    enter: '\n',
  },
  { name: 'ncat -t', program: 'ncat', command: (port) => `ncat -t 127.0.0.1 ${port}`, on: 'pipe', enter: '\n' },
  {
    name: "Python's telnetlib",
    program: '/usr/bin/python3',
    command: (port) =>
      `/usr/bin/python3 -uW ignore -c 'import telnetlib; telnetlib.Telnet("127.0.0.1", ${port}).mt_interact()'`,
    on: 'pipe',
    enter: '\n',
  },
];

interface Running {
  say(text: string): void;
  /** Waits until the text has been shown since the last wait. */
  until(text: string): Promise<void>;
  readonly shown: () => string;
  resize(columns: number, rows: number): Promise<void>;
}

async function run(client: Client): Promise<Running> {
  const server = createTelnetServer(everything, { listen: 'tcp://127.0.0.1:0' });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  const command = client.command(bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0);
  const folder = await mkdtemp(join(tmpdir(), 'wellknown-telnet-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const terminal = join(folder, 'tty');
  const child =
    client.on === 'pipe'
      ? spawn('sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'ignore'] })
      : spawn('script', ['-qec', `tty > ${terminal}; stty rows 31 cols 97; exec ${command}`, '/dev/null'], {
          env: { ...process.env, TERM: 'xterm', HOME: folder },
          stdio: ['pipe', 'pipe', 'ignore'],
        });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString('latin1')));
  child.stdin.on('error', () => undefined);
  return {
    say: (text) => void child.stdin.write(text, 'latin1'),
    shown: () => shown,
    async until(text) {
      await eventually(() => {
        if (!shown.includes(text, seen)) throw new Error(`no ${text} in ${JSON.stringify(shown.slice(seen))}`);
      });
      seen = shown.indexOf(text, seen) + text.length;
    },
    async resize(columns, rows) {
      const name = (await readFile(terminal, 'utf8')).trim();
      execFileSync('stty', ['-F', name, 'rows', String(rows), 'cols', String(columns)]);
    },
  };
}

// What is missing is said by `lacks`.
const PRESENT = CLIENTS.filter(
  ({ program, on }) => lacks(program, ...(on === 'terminal' ? ['script', 'stty'] : [])) === undefined,
);
const able = (ability: 'resizes' | 'interrupts' | 'keys' | 'hides'): readonly Client[] =>
  PRESENT.filter((client) => client[ability] === true);

async function logIn(client: Client): Promise<Running> {
  const { enter } = client;
  const running = await run(client);
  await running.until('login: ');
  running.say(`ann${enter}`);
  await running.until('password: ');
  running.say(`${SECRET}${enter}`);
  await running.until('hello ann, right');
  return running;
}

test.each(PRESENT)('$name logs in, says lines, sees answers, and leaves', async (client) => {
  const running = await logIn(client);
  for (const line of ['one', 'two words', 'three']) {
    running.say(`${line}${client.enter}`);
    await running.until(`[said ${line}]`);
  }
  running.say(`leave${client.enter}`);
  await running.until('[goodbye]');
});

test.each(able('hides'))('$name shows nothing of the password', async (client) => {
  const running = await logIn(client);
  expect(running.shown()).not.toContain(SECRET);
});

test.each(able('resizes'))('$name tells a change of its window', async (client) => {
  const running = await logIn(client);
  await running.resize(111, 44);
  await running.until('[size 111x44]');
});

test.each(able('interrupts'))('$name interrupts, and still shows what comes then', async (client) => {
  const running = await logIn(client);
  running.say('half a line\u0003');
  await running.until('[interrupted]');
  running.say(`whole${client.enter}`);
  await running.until('[said whole]');
});

test.each(able('keys'))('$name sends keys in character mode, and lines again behind it', async (client) => {
  const running = await logIn(client);
  running.say(`keys${client.enter}`);
  await running.until('[mode character]');
  for (const [key, code] of [
    ['a', '61'],
    ['\u001b[A', '1b5b41'],
    [client.enter, '0d'],
    ['\u0003', '03'],
  ] as const) {
    running.say(key);
    await running.until(`[key ${code}]`);
  }
  running.say('q');
  await running.until('[mode line]');
  running.say(`line${client.enter}`);
  await running.until('[said line]');
});
