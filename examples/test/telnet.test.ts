import { connect, type Socket } from 'node:net';
import { eventually } from '@wellknown/core/testing';
import { createDemoSession, createTelnetServer, type TelnetHandler, type TelnetServerOptions } from '@wellknown/telnet';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { handler as mud, options as mudOptions } from '../mud.ts';
import { handler as router } from '../router-cli.ts';
import { handler as repl } from '../telnet-repl.ts';
import { serveBoth } from '../telnet-websocket.ts';

async function listen(handler: TelnetHandler, options: TelnetServerOptions = {}): Promise<number> {
  const server = createTelnetServer(handler, {
    ...options,
    listen: 'tcp://127.0.0.1:0',
    session: { negotiationMs: 1, ...options.session },
  });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0;
}

interface Client {
  readonly socket: Socket;
  readonly received: string;
  /** Sends, and waits until this has come since. */
  say(text: string, expected: string): Promise<void>;
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let seen = 0;
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    get received() {
      return received;
    },
    async say(text, expected) {
      socket.write(text, 'latin1');
      await eventually(() => expect(received.slice(seen)).toContain(expected));
      seen = received.indexOf(expected, seen) + expected.length;
    },
  };
}

const iac = (...bytes: number[]): string => String.fromCharCode(255, ...bytes);
/** What a terminal that agrees to character mode says. */
const VT220 = `${iac(251, 24)}${iac(250, 24, 0)}VT220${iac(240)}${iac(250, 24, 0)}VT220${iac(240)}${iac(251, 31)}${iac(250, 31, 0, 80, 0, 24)}${iac(240)}`;
const AGREED = iac(253, 1) + iac(253, 3);

test('two players meet in the two rooms, and a crawler is told how many there are', async () => {
  const port = await listen(mud, mudOptions);
  const [anna, ben] = [await dial(port), await dial(port)];
  await anna.say('', 'known? ');
  await anna.say('Anna\r\n', 'The Inn\r\n');
  await ben.say('', 'known? ');
  await ben.say('Ben\r\n', 'Anna is here.\r\n');
  await anna.say('', 'Ben comes in.\r\n');
  await anna.say('say hello\r\n', 'Anna says: hello\r\n');
  await ben.say('', 'Anna says: hello\r\n');
  await ben.say('north\r\n', 'The Square\r\n');
  await anna.say('', 'Ben goes north.\r\n');
  await ben.say('dance\r\n', 'You can look, say, quit, or go: south.\r\n');
  const crawler = await dial(port);
  await crawler.say(iac(253, 70), '\u0001PLAYERS\u00022');
  anna.socket.write('quit\r\n');
  await eventually(() => expect(anna.socket.readableEnded).toBe(true));
  await ben.say('south\r\n', 'The door leads north.\r\n> ');
});

test('a client for such worlds gets its room as GMCP', async () => {
  const client = await dial(await listen(mud, mudOptions));
  const names = ['MUDLET', 'ANSI', 'MTTS 137', 'MTTS 137'].map((name) => `${iac(250, 24, 0)}${name}${iac(240)}`);
  await client.say(iac(251, 24) + names.join(''), iac(251, 201));
  client.socket.write(iac(253, 201), 'latin1');
  await client.say('Anna\r\n', 'Room.Info {"num":"inn","name":"The Inn","exits":{"north":"square"}}');
});

test('the console of a router has modes, short commands, completion and help', async () => {
  const client = await dial(await listen(router));
  await client.say(VT220, iac(251, 1));
  await client.say(AGREED, 'router>');
  await client.say('?', 'enable         turn on privileged commands\r\n');
  await client.say('sh c\r', 'Z\r\n');
  await client.say('ena\t\r', 'enable');
  await client.say('', 'router#');
  await client.say('conf\r', 'router(config)#');
  await client.say('hostname edge\r', 'edge(config)#');
  await client.say('exit\r', 'edge#');
  await client.say('conf\r', 'edge(config)#');
  await client.say('end\r', 'edge#');
  await client.say('dance\r', '% Unknown');
  await client.say('disable\r', 'edge>');
  await client.say('e\r', '% Ambiguous');
  await client.say('exit\r', 'exit');
  await eventually(() => expect(client.socket.readableEnded).toBe(true));
});

test('a REPL evaluates, completes and ends', async () => {
  const client = await dial(await listen(repl));
  await client.say(VT220, iac(251, 1));
  await client.say(AGREED, 'app> ');
  await client.say('state.requ\t', 'ests');
  await client.say(' + 1\r', '1');
  await client.say('.exit\r', '');
  await eventually(() => expect(client.socket.readableEnded).toBe(true));
});

/** The address of the WebSocket of a demonstration, for pages of `origins`. */
async function webUrl(origins: readonly string[] = []): Promise<string> {
  const { telnetServer, httpServer, bound } = await serveBoth(
    createDemoSession(),
    'tcp://127.0.0.1:0',
    'tcp://127.0.0.1:0',
    origins,
  );
  onTestFinished(() => httpServer.close({ graceMs: 0 }));
  onTestFinished(() => telnetServer.close({ graceMs: 0 }));
  return bound.at(-1)!.url.replace(/^(?:tcp|http):/, 'ws:');
}

test('a web page may connect when its origin is named, and no other', async () => {
  const url = await webUrl(['https://client.example']);
  const statusFor = (origin: string): Promise<number | 'open'> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, 'telnet', { origin });
      onTestFinished(() => socket.terminate());
      socket.on('error', () => undefined);
      socket.on('open', () => resolve('open'));
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    });
  expect(await statusFor('https://client.example')).toBe('open');
  for (const origin of ['https://evil.example', 'http://client.example', 'https://client.example.evil.example', 'null'])
    expect(await statusFor(origin)).toBe(403);
});

test('the same session over WebSocket: bytes of telnet both ways, until it ends', async () => {
  const url = await webUrl();
  const socket = new WebSocket(url, 'telnet');
  let received = '';
  socket.on('message', (data: Buffer) => (received += data.toString('latin1')));
  await eventually(() => expect(received).toContain('> '));
  expect(socket.protocol).toBe('telnet');
  expect(received).toContain(iac(253, 24));
  socket.send(Buffer.from('echo over the web\r\n'));
  await eventually(() => expect(received).toContain('\r\nover the web\r\n'.slice(2)));
  socket.send(Buffer.from('quit\r\n'));
  await eventually(() => expect(socket.readyState).toBe(WebSocket.CLOSED));
  expect(received).toContain('Goodbye.');

  const refused = await fetch(url.replace('ws:', 'http:'));
  expect(refused.status).toBe(426);
});
