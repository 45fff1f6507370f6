// A client that says what a test tells it to, over real sockets: one control connection, and data connections by EPSV.

import net from 'node:net';
import { connectClient, type Client } from '@wellknown/core/testing';
import { expect } from 'vitest';
import { createFtpServer, memoryFileSystem, type FtpServerOptions } from '../src/index.ts';

export interface FtpSession {
  readonly client: Client;
  /** Says it and resolves with the next whole reply. */
  say(line: string): Promise<string>;
  /** The next whole reply. */
  hear(): Promise<string>;
  /** EPSV and a connection to the port it names. */
  openData(options?: { readonly localAddress?: string }): Promise<net.Socket>;
}

/** Connects and logs in. */
export async function openSession(url: string, user = 'ann', password = 'secret'): Promise<FtpSession> {
  const client = await connectClient(url);
  let heard = '';
  const WHOLE = /^\d{3} .*\r\n/m;
  const hear = async (): Promise<string> => {
    if (!WHOLE.test(heard)) heard += await client.receive(WHOLE);
    const match = WHOLE.exec(heard);
    const end = (match?.index ?? 0) + (match?.[0].length ?? 0);
    const reply = heard.slice(0, end);
    heard = heard.slice(end);
    return reply;
  };
  const say = (line: string): Promise<string> => {
    client.send(`${line}\r\n`);
    return hear();
  };
  expect(await hear()).toMatch(/^220 /);
  expect(await say(`USER ${user}`)).toMatch(/^331 /);
  expect(await say(`PASS ${password}`)).toMatch(/^230 /);
  expect(await say('TYPE I')).toMatch(/^200 /);
  return {
    client,
    say,
    hear,
    async openData(options = {}) {
      const port = Number(/\|\|\|(\d+)\|/.exec(await say('EPSV'))?.[1]);
      return connectTo(port, options.localAddress);
    },
  };
}

/** A connection to a port of `host`; rejects when nothing listens. */
export function connectTo(port: number, localAddress?: string, host = '127.0.0.1'): Promise<net.Socket> {
  const socket = net.connect({
    host,
    port,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Everything until the other side ends, or breaks off. */
export async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await new Promise<void>((resolve) => {
    // It may have ended before this was called.
    if (socket.destroyed || socket.readableEnded) resolve();
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Runs `use` against a server on a free port, and closes it. */
export async function withServer(
  options: Partial<FtpServerOptions>,
  use: (url: string, server: ReturnType<typeof createFtpServer>) => Promise<void>,
): Promise<void> {
  const server = createFtpServer({
    fileSystem: memoryFileSystem(),
    accounts: [{ name: 'ann', password: 'secret', mayWrite: true }],
    anonymous: true,
    listen: 'tcp://127.0.0.1:0',
    ...options,
  });
  const [bound] = await server.listen();
  try {
    await use(bound?.url ?? '', server);
  } finally {
    await server.close({ graceMs: 0 });
  }
}
