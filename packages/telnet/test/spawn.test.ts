// Programs in sessions, over real sockets.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTelnetServer, type TelnetHandler } from '../src/index.ts';
import { loginSession, programSession } from '../src/program/program-session.ts';
import { NO_PTY } from './pty-fixture.ts';
import { iac, sb } from './session-fixture.ts';

async function listen(handler: TelnetHandler): Promise<number> {
  const server = createTelnetServer(handler, { listen: 'tcp://127.0.0.1:0', session: { negotiationMs: 1 } });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0;
}

interface Client {
  readonly socket: Socket;
  /** What came, as latin1, without negotiation. */
  readonly text: string;
  readonly hasEnded: boolean;
}

/** A client that refuses nothing and answers nothing: a raw socket. */
async function dial(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let hasEnded = false;
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (hasEnded = true));
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    get text() {
      return received.replace(/\u00ff[\u00fb-\u00fe]./gs, '');
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}

/** A script as a program of its own. */
async function program(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wellknown-telnet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'program');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

const pidIn = (text: string): number => Number(/pid (\d+)/.exec(text)?.[1]);

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
