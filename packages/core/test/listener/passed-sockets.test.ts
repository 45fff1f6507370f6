// Sockets that were passed to the program: those it can serve on are served, any other is refused at the start, in
// words that say what it is and what is needed.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { lacks } from '../../src/testing/system-programs.ts';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/cli/src/main.ts');

/** What opens descriptor 7 before the program starts, as lines of Python: the socket is called `s`. */
const KINDS = {
  udp: 's = socket(AF_INET, SOCK_DGRAM); s.bind(("127.0.0.1", 0))',
  udp6: 's = socket(AF_INET6, SOCK_DGRAM); s.bind(("::1", 0))',
  'unbound udp': 's = socket(AF_INET, SOCK_DGRAM)',
  'listening tcp': 's = socket(); s.bind(("127.0.0.1", 0)); s.listen()',
  'bound tcp': 's = socket(); s.bind(("127.0.0.1", 0))',
  'unbound tcp': 's = socket()',
  'tcp connection':
    'l = socket(); l.bind(("127.0.0.1", 0)); l.listen(); s = create_connection(l.getsockname()); os.set_inheritable(l.fileno(), True)',
  'reset tcp connection':
    'import struct; l = socket(); l.bind(("127.0.0.1", 0)); l.listen(); c = create_connection(l.getsockname()); s = l.accept()[0]; c.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0)); c.close()',
  'listening unix': 's = socket(AF_UNIX); s.bind(f"\\0passed-{os.getpid()}"); s.listen()',
  'unbound unix': 's = socket(AF_UNIX)',
  'unix connection': 's, other = socketpair()',
  'unix datagrams': 's = socket(AF_UNIX, SOCK_DGRAM); s.bind(f"\\0passed-{os.getpid()}")',
  'unix packets': 's = socket(AF_UNIX, SOCK_SEQPACKET); s.bind(f"\\0passed-{os.getpid()}"); s.listen()',
  file: 's = open("/etc/passwd")',
  pipe: 's = os.fdopen(os.pipe()[0])',
} as const;

/** Runs `wellknown ARGUMENTS --listen fd://7`, or what else is named, until it is ready or has ended. */
async function start(
  kind: keyof typeof KINDS,
  args: readonly string[],
  listen = 'fd://7',
  within: readonly string[] = [],
) {
  const child = spawn(
    'python3',
    [
      '-c',
      [
        'import os, sys',
        'from socket import *',
        KINDS[kind],
        'os.dup2(s.fileno(), 7, inheritable=True)',
        // Of systemd's, 3 is the first one.
        'if "systemd:x" in sys.argv: os.dup2(7, 3, inheritable=True); os.environ |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "LISTEN_PID": str(os.getpid())}',
        'os.execvp(sys.argv[1], sys.argv[1:])',
      ].join('\n'),
      ...within,
      process.execPath,
      ...PROGRAM,
      ...args,
      ...['--listen', listen, '--log-level', 'error'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes('ready\n')) child.kill('SIGTERM');
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

const HTTP = ['http', path.dirname(PROGRAM.at(-1) ?? ''), '--workers'];

describe.skipIf(lacks('python3'))('a socket that was passed', () => {
  test.each(['0', '1'])('what carries streams is served, with %s workers', async (workers) => {
    for (const kind of ['listening tcp', 'bound tcp', 'listening unix'] as const) {
      const { status, stdout } = await start(kind, [...HTTP, workers]);
      expect([kind, status]).toEqual([kind, 0]);
      expect(stdout).toMatch(/^listening http (?:tcp:\/\/127\.0\.0\.1:[1-9]\d*|unix:@passed-\d+)\nready\n$/);
    }
  });

  test.each(['0', '1'])(
    'what carries datagrams is served by a protocol of datagrams alone, with %s workers',
    async (workers) => {
      expect((await start('udp', ['echo', '--workers', workers])).stdout).toMatch(/ echo udp:.*\nready\n$/);
      for (const kind of ['udp', 'udp6'] as const) {
        const { status, stdout, stderr } = await start(kind, [...HTTP, workers]);
        expect([kind, status, stdout]).toEqual([kind, expect.any(Number), '']);
        expect(status).not.toBe(0);
        expect(stderr).toMatch(/'fd:\/\/7' is udp:\/\/\S+:\d+: http is not served over udp/);
        expect(stderr).toContain('it takes stream sockets: tcp, tls or unix');
      }
    },
  );

  test.each([
    ['unbound udp', 'descriptor 7 is no stream socket, and no UDP socket that is bound'],
    ['unbound tcp', 'descriptor 7 is bound to no address'],
    ['tcp connection', 'descriptor 7 is a TCP connection'],
    ['unbound unix', 'descriptor 7 is bound to no address'],
    ['unix connection', 'descriptor 7 is a connection over a unix socket'],
    ['unix datagrams', 'descriptor 7 is a unix socket for datagrams or packets, and Node has streams alone there'],
    ['unix packets', 'descriptor 7 is a unix socket for datagrams or packets, and Node has streams alone there'],
    ['file', 'descriptor 7 is no socket but /etc/passwd'],
    ['pipe', 'descriptor 7 is no socket but pipe:'],
  ] as const)('%s is refused: %s', async (kind, words) => {
    const { status, stdout, stderr } = await start(kind, [...HTTP, '0']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`cannot listen on fd://7: ${words}`);
    expect(stderr).toContain('start the program with that descriptor open');
  });

  test.each(['0', '1'])('a TCP connection that was reset is told from a listener, with %s workers', async (workers) => {
    const { status, stdout, stderr } = await start('reset tcp connection', [...HTTP, workers]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /cannot listen on tcp:\/\/127\.0\.0\.1:\d+: the socket that was passed is no listening one but a connection that has ended/,
    );
  });

  test.skipIf(spawnSync('unshare', ['-rm', 'true']).status !== 0)(
    'what listens is served where there is no /proc (needs unshare, to take it away)',
    async () => {
      const within = ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh'];
      const { status, stdout } = await start('listening tcp', [...HTTP, '0'], 'fd://7', within);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^listening http tcp:.*\nready\n$/)]);
      expect((await start('pipe', [...HTTP, '0'], 'fd://7', within)).stderr).toContain('descriptor 7 is no socket:');
    },
  );

  test('a descriptor that is not open is refused', async () => {
    const { status, stderr } = await start('pipe', [...HTTP, '0'], 'fd://7000');
    expect(status).toBe(1);
    expect(stderr).toContain('cannot listen on fd://7000: descriptor 7000 is not open');
  });

  test("systemd's are looked at alike", async () => {
    const { status, stderr } = await start('pipe', [...HTTP, '1'], 'systemd:x');
    expect(status).toBe(1);
    expect(stderr).toContain('cannot listen on systemd:x: descriptor 3 is no socket but pipe:');
    expect(stderr).toContain('ListenStream= or ListenDatagram=');
    expect((await start('udp', [...HTTP, '1'], 'systemd:x')).stderr).toMatch(
      /'systemd:x' is udp:\/\/127\.0\.0\.1:\d+: http is not served over udp/,
    );
  });
});
