// A client that says what a test tells it to, over TLS: AUTH TLS on a connection that began in clear, or a handshake at
// once; private data connections that resume the session of the control connection, or begin one of their own.

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { expect } from 'vitest';

export interface TlsSession {
  readonly socket: tls.TLSSocket;
  say(line: string): Promise<string>;
  hear(): Promise<string>;
  /** The session of the control connection, for another connection to resume. */
  ticket(): Promise<Buffer>;
  /** EPSV and a TCP connection to its port, whose handshake begins when `secured` is called. */
  openData(): Promise<{ readonly raw: net.Socket; secured(how?: 'resumed' | 'fresh'): Promise<tls.TLSSocket> }>;
}

export interface TlsSessionOptions {
  readonly url: string;
  readonly implicit?: boolean;
  /** Said before AUTH. */
  readonly before?: readonly string[];
  readonly tls?: tls.ConnectionOptions;
}

const WHOLE = /^\d{3} .*\r\n/m;

/** What a socket of either kind has said, reply by reply. */
export function repliesOf(socket: net.Socket): () => Promise<string> {
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += String(chunk);
    socket.emit('heard');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => socket.emit('heard'));
  return async () => {
    while (!WHOLE.test(heard)) {
      if (socket.destroyed) throw new Error(`the connection closed after ${JSON.stringify(heard)}`);
      await once(socket, 'heard');
    }
    const match = WHOLE.exec(heard);
    const end = (match?.index ?? 0) + (match?.[0].length ?? 0);
    const reply = heard.slice(0, end);
    heard = heard.slice(end);
    return reply;
  };
}

export const portOf = (url: string): number => Number(/:(\d+)$/.exec(url)?.[1]);

/** Connects and finishes the handshake; nobody is logged in. */
export async function openTls(options: TlsSessionOptions): Promise<TlsSession> {
  const { url, implicit = false, before = [] } = options;
  const port = portOf(url);
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  if (!implicit) {
    const hear = repliesOf(raw);
    expect(await hear()).toMatch(/^220 /);
    for (const line of [...before, 'AUTH TLS']) {
      raw.write(`${line}\r\n`);
      expect(await hear()).toMatch(/^2/);
    }
    raw.removeAllListeners('data');
  }
  const shared = { rejectUnauthorized: false, ...options.tls };
  const socket = tls.connect({ socket: raw, ...shared });
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => (session = ticket));
  await once(socket, 'secureConnect');
  const hear = repliesOf(socket);
  const say = (line: string): Promise<string> => {
    socket.write(`${line}\r\n`);
    return hear();
  };
  // In TLS 1.3 it comes some time after the handshake.
  const ticket = async (): Promise<Buffer> => session ?? ((await once(socket, 'session')) as [Buffer])[0];
  if (implicit) expect(await hear()).toMatch(/^220 /);
  return {
    socket,
    say,
    hear,
    ticket,
    async openData() {
      const dataPort = Number(/\|\|\|(\d+)\|/.exec(await say('EPSV'))?.[1]);
      const data = net.connect(dataPort, '127.0.0.1');
      data.on('error', () => undefined);
      await once(data, 'connect');
      return {
        raw: data,
        async secured(how = 'resumed') {
          const resumed = how === 'resumed' ? { session: await ticket() } : {};
          const secure = tls.connect({ socket: data, ...shared, ...resumed });
          secure.on('error', () => undefined);
          await once(secure, 'secureConnect');
          return secure;
        },
      };
    },
  };
}

/** The same, logged in, with private data connections in TYPE I. */
export async function openPrivate(options: TlsSessionOptions): Promise<TlsSession> {
  const session = await openTls(options);
  expect(await session.say('PBSZ 0')).toMatch(/^200 /);
  expect(await session.say('PROT P')).toMatch(/^200 /);
  expect(await session.say('USER ann')).toMatch(/^331 /);
  expect(await session.say('PASS secret')).toMatch(/^230 /);
  expect(await session.say('TYPE I')).toMatch(/^200 /);
  return session;
}
