import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { createNetTransport } from '../../src/connection/net-transport.ts';
import { giveBackChunk, readThroughSharedBuffer, takeChunk } from '../../src/kernel/read-buffer.ts';
import type { Transport } from '../../src/connection/transport.ts';
import { eventually } from '../../src/testing/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server on loopback that hands its accepted sockets to `accepted`, and a way to connect to it. */
async function listen(accepted: (socket: net.Socket) => void): Promise<() => net.Socket> {
  const server = net.createServer({ allowHalfOpen: true }, accepted).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return () => net.connect({ port, host: '127.0.0.1', noDelay: true });
}

const acceptOne = async (): Promise<{ readonly accepted: net.Socket; readonly client: net.Socket }> => {
  let take: (socket: net.Socket) => void = () => undefined;
  const accepted = new Promise<net.Socket>((resolve) => (take = resolve));
  const connect = await listen((socket) => take(socket));
  const client = connect();
  return { client, accepted: await accepted };
};

/** Everything that a transport reports, and ways to wait for it. */
class Recorder {
  readonly chunks: Uint8Array[] = [];
  readonly log: string[] = [];
  #wake: () => void = () => undefined;

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  data = (chunk: Uint8Array): void => this.#note('data', () => this.chunks.push(chunk));
  ended = (): void => this.#note('ended');
  drained = (): void => this.#note('drained');
  closed = (): void => this.#note('closed');

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #note(what: string, and: () => void = () => undefined): void {
    and();
    if (this.log.at(-1) !== what) this.log.push(what);
    this.#wake();
  }
}

const start = (socket: net.Socket): { transport: Transport; recorder: Recorder } => {
  const recorder = new Recorder();
  const transport = createNetTransport(socket);
  transport.start(recorder);
  return { transport, recorder };
};

test('this Node lets an accepted socket be read through the shared buffer', async () => {
  const { accepted, client } = await acceptOne();
  const read = new Promise<string>((resolve) => {
    expect(
      readThroughSharedBuffer(accepted, (byteLength, buffer) => resolve(buffer.toString('latin1', 0, byteLength))),
    ).toBe(true);
  });
  client.write('hello');
  expect(await read).toBe('hello');
  client.destroy();
  accepted.destroy();
});

test('what twenty peers send at once is kept apart, and a chunk stays as it was delivered', async () => {
  const recorders = new Map<number, Recorder>();
  const sockets: net.Socket[] = [];
  const connect = await listen((socket) => {
    const { recorder } = start(socket);
    recorders.set(socket.remotePort ?? 0, recorder);
    sockets.push(socket);
  });
  const contents = Array.from({ length: 20 }, (_, index) =>
    String.fromCharCode(0x61 + index).repeat(30_000 + 7_919 * index),
  );
  const clients = contents.map((content) => {
    const client = connect();
    client.end(content);
    return { client, content };
  });
  for (const { client, content } of clients) {
    if (client.connecting) await once(client, 'connect');
    const port = client.localPort ?? 0;
    await eventually(() => recorders.has(port));
    const recorder = recorders.get(port);
    await recorder?.until(() => recorder.log.includes('ended'));
    expect(recorder?.text === content).toBe(true);
  }
  for (const socket of [...sockets, ...clients.map(({ client }) => client)]) socket.destroy();
});

test('bytes that came before `start` are delivered, and those after them too', async () => {
  const { accepted, client } = await acceptOne();
  client.write('early ');
  await eventually(() => accepted.readableLength > 0);
  const { recorder } = start(accepted);
  await recorder.until(() => recorder.text === 'early ');
  client.end('late');
  await recorder.until(() => recorder.log.includes('ended'));
  expect(recorder.text).toBe('early late');
  accepted.destroy();
  client.destroy();
});

test('a peer that ended before `start` is told of', async () => {
  const { accepted, client } = await acceptOne();
  client.end();
  await eventually(() => accepted.readableEnded);
  const { recorder } = start(accepted);
  await recorder.until(() => recorder.log.includes('ended'));
  expect(recorder.log).toEqual(['ended']);
  accepted.destroy();
  client.destroy();
});

test('a paused transport reads nothing, and goes on where it stopped', async () => {
  const { accepted, client } = await acceptOne();
  const { transport, recorder } = start(accepted);
  client.write('one');
  await recorder.until(() => recorder.text === 'one');
  transport.pause();
  const readBefore = accepted.bytesRead;
  client.end('two');
  await once(client, 'finish');
  // A second connection of the same process is read meanwhile: what was sent before it would have been read by then.
  const other = await acceptOne();
  const { recorder: witness } = start(other.accepted);
  other.client.end('x');
  await witness.until(() => witness.log.includes('ended'));
  expect(accepted.bytesRead).toBe(readBefore);
  transport.resume();
  await recorder.until(() => recorder.log.includes('ended'));
  expect(recorder.text).toBe('onetwo');
  for (const socket of [accepted, client, other.accepted, other.client]) socket.destroy();
});

test('large reads, which are given away uncopied, stay as they were delivered, for more sockets than may have a buffer of their own', async () => {
  const SOCKETS = 70;
  const recorders: Recorder[] = [];
  const sockets: net.Socket[] = [];
  const connect = await listen((socket) => {
    sockets.push(socket);
    recorders.push(start(socket).recorder);
  });
  // Every byte tells its sender and its place.
  const contentOf = (sender: number): Buffer =>
    Buffer.from(
      Array.from({ length: 256 }, (_, place) => `${sender}:${place},`.padEnd(1_024, '.'))
        .join('')
        .repeat(3),
    );
  const clients = Array.from({ length: SOCKETS }, (_, sender) => {
    const client = connect();
    // Small, large, small again: the way into a buffer of its own and back.
    client.write(`${sender}\n`, () => {
      client.write(contentOf(sender), () => client.end('the end'));
    });
    return client;
  });
  await eventually(() => recorders.length === SOCKETS);
  for (const recorder of recorders) await recorder.until(() => recorder.log.includes('ended'));
  for (const recorder of recorders) {
    const sender = Number(recorder.text.slice(0, recorder.text.indexOf('\n')));
    expect(recorder.text === `${sender}\n${contentOf(sender).toString('latin1')}the end`).toBe(true);
  }
  for (const socket of [...sockets, ...clients]) socket.destroy();
});

test('a chunk that is given back is read into again; what came otherwise, or has come back, is not', async () => {
  const { accepted, client } = await acceptOne();
  const { recorder } = start(accepted);
  const sent = Buffer.alloc(4 * 1024 * 1024, 'abcdefgh');
  client.write(sent);
  await recorder.until(() => recorder.chunks.reduce((sum, { length }) => sum + length, 0) === sent.length);
  const buffers = (): ArrayBufferLike[] => recorder.chunks.map(({ buffer }) => buffer);
  // What is copied may lie in a pool of Node's that is as large, but gives no such large part of it.
  const isOwn = ({ buffer, length }: Uint8Array): boolean => buffer.byteLength === 65_536 && length > 32_768;
  const own = recorder.chunks.filter(isOwn);
  expect(new Set(own.map(({ buffer }) => buffer)).size).toBe(own.length);
  const before = new Set(buffers());
  for (const chunk of [...recorder.chunks, ...recorder.chunks, Buffer.alloc(65_536)]) giveBackChunk(chunk);
  recorder.chunks.length = 0;
  client.write(sent);
  await recorder.until(() => recorder.chunks.reduce((sum, { length }) => sum + length, 0) === sent.length);
  const again = recorder.chunks.filter(isOwn);
  expect(new Set(again.map(({ buffer }) => buffer)).size).toBe(again.length);
  expect(again.some(({ buffer }) => before.has(buffer))).toBe(true);
  expect(Buffer.concat(recorder.chunks).equals(sent)).toBe(true);
  client.destroy();
});

test('records of TLS share a buffer, which is read into again when all of them are given back', async () => {
  const { accepted, client } = await acceptOne();
  const server = new tls.TLSSocket(accepted, { isServer: true, ...makeCertificate('own.example') });
  const chunks: Buffer[] = [];
  readThroughSharedBuffer(server, function (byteLength, buffer) {
    chunks.push(takeChunk(this, byteLength, buffer));
    server.emit('chunk');
  });
  const peer = tls.connect({ socket: client, rejectUnauthorized: false });
  const records = (from: number): Buffer =>
    Buffer.concat(Array.from({ length: 40 }, (_, index) => Buffer.alloc(16_384, from + index)));
  const sent = async (content: Buffer): Promise<Buffer[]> => {
    chunks.length = 0;
    peer.write(content);
    while (chunks.reduce((sum, { length }) => sum + length, 0) < content.length) await once(server, 'chunk');
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    return [...chunks];
  };
  const buffersOf = (some: readonly Buffer[]): Set<ArrayBufferLike> => new Set(some.map(({ buffer }) => buffer));
  const first = await sent(records(1));
  // The first is copied, and the last buffer may have room left.
  expect(buffersOf(first).size).toBe(1 + Math.ceil(39 / 4));
  const [kept = Buffer.alloc(0), ...others] = first.slice(1);
  for (const chunk of [...others, ...others]) giveBackChunk(chunk);
  const second = await sent(records(101));
  expect(buffersOf(second).has(kept.buffer)).toBe(false);
  expect(kept.equals(Buffer.alloc(16_384, 2))).toBe(true);
  expect([...buffersOf(second)].some((buffer) => buffersOf(others).has(buffer))).toBe(true);
  for (const chunk of [...second, kept]) giveBackChunk(chunk);
  expect(buffersOf(await sent(records(1))).has(kept.buffer)).toBe(true);
  peer.destroy();
  server.destroy();
});
