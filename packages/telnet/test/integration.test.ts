// Over real sockets, and with the telnet client of the system.

import { spawn, type ChildProcess } from 'node:child_process';
import { connect as connectSocket, type Socket } from 'node:net';
import type { Clock } from '@wellknown/core';
import { createFakeClock, lacks } from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createDemoSession, createTelnetServer, type TelnetHandler } from '../src/index.ts';

type Server = ReturnType<typeof createTelnetServer>;

const servers: Server[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function listen(handler: TelnetHandler, clock?: Clock): Promise<{ server: Server; port: number }> {
  const server = createTelnetServer(handler, { listen: 'tcp://127.0.0.1:0', ...(clock && { clock }) });
  servers.push(server);
  const [bound] = await server.listen();
  return { server, port: bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0 };
}

interface Conversation {
  /** What has been received so far, as latin1. */
  readonly received: string;
  say(text: string): void;
  /** Waits until the text has been received since the last wait. */
  until(text: string): Promise<void>;
  readonly over: Promise<void>;
}

/** A conversation over any pair of streams. */
function converse(
  subscribe: (received: (chunk: Buffer) => void, over: () => void) => void,
  say: (text: string) => void,
): Conversation {
  let received = '';
  let seen = 0;
  let changed = (): void => undefined;
  let closed = false;
  const over = new Promise<void>((resolve) => {
    subscribe(
      (chunk) => {
        received += chunk.toString('latin1');
        changed();
      },
      () => {
        closed = true;
        changed();
        resolve();
      },
    );
  });
  return {
    get received() {
      return received;
    },
    say,
    over,
    async until(text) {
      const timeout = AbortSignal.timeout(10_000);
      const expired = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve()));
      while (!received.includes(text, seen)) {
        if (closed || timeout.aborted)
          throw new Error(`never received ${JSON.stringify(text)} in ${JSON.stringify(received.slice(seen))}`);
        await Promise.race([new Promise<void>((resolve) => (changed = resolve)), expired]);
      }
      seen = received.indexOf(text, seen) + text.length;
    },
  };
}

async function raw(port: number): Promise<{ conversation: Conversation; socket: Socket }> {
  const socket = connectSocket(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    conversation: converse(
      (received, over) => socket.on('data', received).on('close', over),
      (text) => socket.write(text, 'latin1'),
    ),
  };
}

describe('a raw socket', () => {
  test('is greeted, answered and let go', async () => {
    const { port } = await listen(createDemoSession());
    const { conversation } = await raw(port);
    await conversation.until('\r\n> ');
    conversation.say('echo hello\r\n');
    await conversation.until('hello\r\n> ');
    conversation.say('quit\n');
    await conversation.until('Goodbye.\r\n');
    await conversation.over;
  });

  test('with all lines in one packet and half closed gets all answers', async () => {
    const { port } = await listen(createDemoSession());
    const { conversation, socket } = await raw(port);
    socket.end('echo one\necho two\nquit\n');
    await conversation.over;
    expect(conversation.received).toContain('one\r\n> two\r\n> Goodbye.\r\n');
  });

  test('does not keep the server from closing', async () => {
    const { server, port } = await listen(createDemoSession());
    const { conversation } = await raw(port);
    await conversation.until('\r\n> ');
    await server.close({ graceMs: 5_000 });
    await conversation.until('This server is going down.\r\n');
    await conversation.over;
  });

  test('that answers nothing and is cut in the middle of an option leaves the server well', async () => {
    const { port } = await listen(createDemoSession());
    for (const bytes of ['\u00ff', '\u00ff\u00fa\u001f\u0000', '\u00ff\u00fb']) {
      const { socket, conversation } = await raw(port);
      conversation.say(bytes);
      await conversation.until('> ');
      socket.resetAndDestroy();
    }
    const { conversation } = await raw(port);
    await conversation.until('> ');
  });
});

const TELNET = 'telnet';
/** Runs a command on a pseudo-terminal of its own. */
const SCRIPT = 'script';
describe.skipIf(lacks(TELNET, SCRIPT))('the telnet client of the system', () => {
  /** The client on a pseudo-terminal, as a person has it. */
  const telnet = (port: number): Conversation => {
    const child = spawn(SCRIPT, ['-qec', `stty rows 31 cols 97; ${TELNET} 127.0.0.1 ${port}`, '/dev/null'], {
      env: { ...process.env, TERM: 'vt220' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return converse(
      (received, over) => child.stdout.on('data', received).on('close', over),
      (text) => child.stdin.write(text, 'latin1'),
    );
  };

  test('tells its type and size, converses and is let go', async () => {
    // The server waits for what the client has to tell, however slow the machine is.
    const { port } = await listen(createDemoSession(), createFakeClock());
    const client = telnet(port);
    await client.until('on a terminal of type vt220, 97 by 31.');
    await client.until('> ');
    client.say('echo hello\r');
    // Once as the client's own echo, once as the answer.
    await client.until('echo hello\r\n');
    await client.until('hello\r\n> ');
    client.say('quit\r');
    await client.until('Goodbye.');
    await client.until('Connection closed by foreign host.');
    await client.over;
  });

  test('shows nothing of a password', async () => {
    const { port } = await listen(createDemoSession());
    const client = telnet(port);
    await client.until('> ');
    client.say('password\r');
    await client.until('it is not kept): ');
    // WILL ECHO came before the question, so the client has obeyed it by now.
    client.say('hunter2\r');
    await client.until('You typed 7 characters.');
    expect(client.received).not.toContain('hunter2');
    client.say('echo seen\r');
    await client.until('echo seen');
  });

  test('interrupts with ^C and still shows what comes then', async () => {
    const { port } = await listen(createDemoSession());
    const client = telnet(port);
    await client.until('> ');
    client.say('half a line\u0003');
    await client.until('Nothing runs here.');
    client.say('echo whole\r');
    await client.until('\r\nwhole\r\n');
  });
});
