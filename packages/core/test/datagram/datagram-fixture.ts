// Datagram servers and clients for the tests, closed after each of them.

import type { DatagramPeer } from '../../src/datagram/peer.ts';
import { connectDatagram } from '../../src/socket/index.ts';
import {
  createServer,
  defineProtocol,
  type DatagramCounters,
  type Protocol,
  type Server,
  type ServerOptions,
} from '../../src/index.ts';

const closers: (() => unknown)[] = [];

/** Called at the end of the test, the last one first. */
export const atEnd = (close: () => unknown): void => void closers.push(close);
/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A protocol that answers each datagram. */
export const reply = (answer: (message: Uint8Array) => Uint8Array): Protocol =>
  defineProtocol({
    name: 'reply',
    port: 7,
    datagrams:
      (socket) =>
      (message, { port, address }) =>
        void socket.send(answer(message), port, address),
  });

/** A server that listens. */
export async function started(
  protocol: Protocol,
  listen: string,
  options: ServerOptions = {},
): Promise<{ server: Server; urls: readonly string[] }> {
  const server = createServer({ protocol, listen }, options);
  atEnd(() => server.close({ graceMs: 0 }));
  const bound = await server.listen();
  return { server, urls: bound.map(({ url }) => url) };
}

export async function peerOf(url: string): Promise<DatagramPeer> {
  const peer = await connectDatagram(url);
  atEnd(() => peer.close());
  return peer;
}

/** What comes back for `words`; undefined when nothing does. */
export async function ask(url: string, words: string): Promise<string | undefined> {
  const peer = await peerOf(url);
  peer.send(Buffer.from(words));
  const answer = await peer.read(5_000);
  return answer === undefined ? undefined : Buffer.from(answer).toString();
}

export const datagramsOf = async (server: Server): Promise<DatagramCounters> =>
  (await server.status()).services[0]!.datagrams;
