// Programs in sessions, over real sockets.

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { silentLog } from '@wellknown/core';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTelnetServer, type TelnetHandler } from '../src/index.ts';
import { loginSession, programSession } from '../src/program/program-session.ts';
import { dial, pidIn, program } from './program-fixture.ts';
import { NO_PTY } from './pty-fixture.ts';
import { iac, sb } from './session-fixture.ts';

async function listen(handler: TelnetHandler): Promise<number> {
  const server = createTelnetServer(handler, {
    listen: 'tcp://127.0.0.1:0',
    session: { negotiationMs: 1 },
    log: silentLog,
  });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0;
}

describe.skipIf(NO_PTY !== undefined)('a program on a pseudo-terminal', () => {
  test('converses, and the session ends with it', async () => {
    const ends: unknown[] = [];
    const file = await program('stty -echo; printf "name? "; read name; echo "hello $name"; exit 3');
    const client = await dial(await listen(programSession(file, { ended: (_session, status) => ends.push(status) })));
    await eventually(() => expect(client.text).toBe('name? '));
    client.socket.write('Ann\r\n');
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toBe('name? hello Ann\r\n');
    expect(ends).toEqual([{ exitCode: 3, signal: undefined }]);
  });

  test('gets the size and the type of the terminal, and each new size', async () => {
    const file = await program('trap "stty size; exit" WINCH; echo "$TERM"; stty size; while :; do sleep 0.01; done');
    const client = await dial(
      await listen(async (session) => {
        await new Promise<void>((resolve) => session.on('resize', () => resolve()));
        await programSession(file)(session);
      }),
    );
    client.socket.write(
      iac(251, 24) + iac(251, 31) + sb(24, 0, ...Buffer.from('VT220')) + sb(31, 0, 97, 0, 31),
      'latin1',
    );
    await eventually(() => expect(client.text).toContain('31 97\r\n'));
    client.socket.write(sb(31, 0, 132, 0, 43), 'latin1');
    await eventually(() => expect(client.text).toContain('43 132\r\n'));
    expect(client.text).toContain('vt220\r\n');
  });

  test('is interrupted by IP', async () => {
    const file = await program('trap "echo caught; exit" INT; echo ready; while :; do sleep 0.01; done');
    const client = await dial(await listen(programSession(file)));
    await eventually(() => expect(client.text).toContain('ready'));
    client.socket.write(iac(244), 'latin1');
    await eventually(() => expect(client.text).toContain('caught'));
  });

  test('a hundred sessions of short programs of 20 KB lose no byte', async () => {
    const file = await program('head -c 20480 /dev/zero | tr "\\0" x');
    const port = await listen(programSession(file));
    for (let round = 0; round < 20; round += 1) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => dial(port)));
      await eventually(() => expect(clients.every(({ hasEnded }) => hasEnded)).toBe(true));
      expect(clients.map(({ text }) => text.length)).toEqual(Array(5).fill(20_480));
    }
  });

  test('all byte values arrive: 255 is doubled, and a CR that ends no line is CR NUL', async () => {
    const file = await program('stty raw; printf "a\\377b\\rc\\nd"');
    const client = await dial(await listen(programSession(file)));
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toBe('a\u00ff\u00ffb\r\0c\nd');
  });

  test('a client that reads slowly makes the program wait, and gets all of it', async () => {
    const file = await program('head -c 6000000 /dev/zero | tr "\\0" x; echo; echo done >&2');
    const client = await dial(await listen(programSession(file)));
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.socket.resume();
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text.length).toBe(6_000_000 + '\r\ndone\r\n'.length);
  });

  test('is hung up when its client goes, with what it runs', async () => {
    const file = await program("sh -c 'echo pid $$; exec sleep 1000'; true");
    const client = await dial(await listen(programSession(file)));
    await eventually(() => expect(pidIn(client.text)).toBeGreaterThan(0));
    client.socket.resetAndDestroy();
    await eventually(() => expect(existsSync(`/proc/${pidIn(client.text)}`)).toBe(false));
  });

  test('sees the end of input of a client that has sent its last byte', async () => {
    const file = await program('cat >/dev/null; echo over');
    const client = await dial(await listen(programSession(file)));
    client.socket.end('a line\r\n');
    await eventually(() => expect(client.text).toContain('over'));
  });

  test('is hung up when it is silent after the last byte of its client', async () => {
    const file = await program('trap "echo hung up; exit" HUP; echo pid $$; while :; do sleep 0.01; done');
    const client = await dial(await listen(programSession(file, { silenceAfterInputMs: 50 })));
    await eventually(() => expect(pidIn(client.text)).toBeGreaterThan(0));
    client.socket.end();
    await eventually(() => expect(existsSync(`/proc/${pidIn(client.text)}`)).toBe(false));
  });

  test('gives the input back to the session that goes on after it', async () => {
    const client = await dial(
      await listen(async (session) => {
        await programSession('/bin/true')(session);
        await session.print('ended');
        await session.print(`then ${(await session.readLine()) ?? ''}`);
      }),
    );
    await eventually(() => expect(client.text).toContain('ended\r\n'));
    client.socket.write('more\r\n');
    await eventually(() => expect(client.text).toContain('then more\r\n'));
  });
});

describe('a program with pipes', () => {
  test('gets lines, an interrupt and an end, and its lines end in CR LF', async () => {
    const file = await program('trap "echo caught" INT; read a; echo "<$a>"; read b; echo "$TERM"; exit 1');
    const client = await dial(await listen(programSession(file, { terminal: 'pipes' })));
    client.socket.write('one\r\n');
    await eventually(() => expect(client.text).toBe('<one>\r\n'));
    client.socket.write(iac(244), 'latin1');
    await eventually(() => expect(client.text).toContain('caught\r\n'));
    client.socket.write('two\r\n');
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toBe('<one>\r\ncaught\r\ndumb\r\n');
  });
});

describe('a program that cannot be started', () => {
  const kinds = (['pty', 'pipes'] as const).filter((kind) => kind === 'pipes' || NO_PTY === undefined);
  const reasons = [
    { file: '/nonexistent/program', options: {}, reason: 'there is no such file' },
    { file: '/etc', options: {}, reason: 'it is not a regular file, expected a program' },
    { file: 'no-such-program-in-any-path', options: {}, reason: 'it is not in PATH' },
    { file: '/bin/true', options: { directory: '/nonexistent' }, reason: 'its directory /nonexistent is not there' },
  ];

  test.each(kinds.flatMap((terminal) => reasons.map((each) => ({ terminal, ...each }))))(
    'is a rejection that says why, and nothing else has happened: $file, $reason ($terminal)',
    async ({ terminal, file, options, reason }) => {
      const client = await dial(
        await listen(async (session) => {
          await session
            .spawn(file, [], { terminal, ...options })
            .catch((error: unknown) => session.print((error as Error).message));
        }),
      );
      await eventually(() => expect(client.hasEnded).toBe(true));
      expect(client.text).toBe(`${file} can't be started: ${reason}\r\n`);
    },
  );

  test.each(kinds)('is one whose interpreter is not there (%s)', async (terminal) => {
    const file = await program('');
    await writeFile(file, '#! /nonexistent/sh -e\n');
    const client = await dial(
      await listen(async (session) => {
        await session.spawn(file, [], { terminal }).catch((error: unknown) => session.print((error as Error).message));
      }),
    );
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toBe(`${file} can't be started: its interpreter /nonexistent/sh: there is no such file\r\n`);
  });

  test('ends a session that is nothing else, in words that keep the reason for the log', async () => {
    const client = await dial(await listen(programSession('/nonexistent/program')));
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toBe('\r\nThe session has failed. Goodbye.\r\n');
  });

  test('is no program that ends with the status of a shell that found none', async () => {
    const file = await program('exit 127');
    const statuses: unknown[] = [];
    const client = await dial(await listen(async (session) => void statuses.push(await session.spawn(file))));
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(statuses).toEqual([{ exitCode: 127, signal: undefined }]);
  });
});

// CVE-2026-24061 and its kin: a name from the network that login(1) took for an option.
describe.skipIf(NO_PTY !== undefined)('nothing that a client says reaches the arguments or the environment', () => {
  test.each(['-froot', '-f root', '--', '\n', 'root'])('USER is %j', async (user) => {
    const login = await program('echo "<$#:$*>"; /usr/bin/env');
    const client = await dial(
      await listen(async (session) => {
        await new Promise<void>((resolve) => session.on('resize', () => resolve()));
        await loginSession({ program: login })(session);
      }),
    );
    const variables = [
      ['USER', user],
      ['LOGNAME', user],
      ['LD_PRELOAD', '/tmp/evil.so'],
      ['CREDENTIALS_DIRECTORY', '/tmp/evil'],
      ['DISPLAY', user],
      ['LANG', 'de_DE'],
    ].flatMap(([name, value]) => [0, ...Buffer.from(name!), 1, ...Buffer.from(value!)]);
    client.socket.write(
      iac(251, 39) +
        iac(251, 24) +
        iac(251, 31) +
        sb(24, 0, ...Buffer.from('-froot')) +
        sb(39, 0, ...variables) +
        sb(31, 0, 90, 0, 30),
      'latin1',
    );
    await eventually(() => expect(client.hasEnded).toBe(true));
    expect(client.text).toContain('<2:-h 127.0.0.1>\r\n');
    expect(client.text).not.toMatch(/froot|-f root|evil|CREDENTIALS|DISPLAY|LD_PRELOAD|de_DE/);
    expect(client.text).toContain('TERM=dumb\r\n');
  });
});
