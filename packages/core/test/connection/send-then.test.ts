// Buffers that are given back, and what counts as progress while a large one is under way.

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createServer,
  createTlsContext,
  defineProtocol,
  type Connection,
  type Server,
  type ServerOptions,
} from '../../src/index.ts';
import { createFakeClock, createMemoryConnection, eventually } from '../../src/testing/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a buffer that is wanted back', () => {
  test('is given back when the peer has taken it, in order, and never before the call returns', async () => {
    const { connection, peer } = createMemoryConnection();
    connection.attach({ data: () => undefined });
    const taken: string[] = [];
    connection.sendThen(Buffer.from('at once'), (error) => taken.push(`at once ${error?.message}`));
    expect(taken).toEqual([]);
    await settle();
    expect(taken.splice(0)).toEqual(['at once undefined']);
    peer.reading = false;
    for (const name of ['a', 'b']) connection.sendThen(Buffer.alloc(10_000), () => taken.push(name));
    await settle();
    expect(taken).toEqual([]);
    peer.sip();
    await settle();
    expect(taken).toEqual(['a']);
    peer.reading = true;
    await settle();
    expect(taken).toEqual(['a', 'b']);
  });

  test('asks the writer to wait where send does, and is bounded as send is', () => {
    const { connection, peer } = createMemoryConnection({ limits: { maxUnsentBytes: 50_000 }, highWaterBytes: 16_384 });
    connection.attach({ data: () => undefined });
    peer.reading = false;
    expect(connection.sendThen(Buffer.alloc(16_383), () => undefined)).toBe(true);
    expect(connection.sendThen(Buffer.alloc(1), () => undefined)).toBe(false);
    expect(connection.sendThen(Buffer.alloc(33_616), () => undefined)).toBe(false);
    expect(connection.state).toBe('open');
    connection.sendThen(Buffer.alloc(1), () => undefined);
    expect(connection.reason).toBe('unsent-overflow');
  });

  test('comes back with an error when the connection ends before it is sent, or had ended', async () => {
    const { connection, peer } = createMemoryConnection();
    connection.attach({ data: () => undefined });
    peer.reading = false;
    const errors: (Error | undefined)[] = [];
    connection.sendThen(Buffer.from('lost'), (error) => errors.push(error));
    peer.reset();
    connection.sendThen(Buffer.from('late'), (error) => errors.push(error));
    await settle();
    expect(errors).toMatchObject([{ message: 'the peer reset the connection' }, { code: 'CONNECTION_CLOSED' }]);
  });
});

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

// More than the kernel's buffers hold.
const LARGE = 32 * 1024 * 1024;

/** Both ends of one connection over TCP; the client does not read yet. */
async function overTcp({ limits, ...options }: ServerOptions = {}): Promise<{
  connection: Connection;
  client: net.Socket;
}> {
  let opened: ((connection: Connection) => void) | undefined;
  const arrival = new Promise<Connection>((resolve) => (opened = resolve));
  const protocol = defineProtocol({
    name: 'sends',
    port: 0,
    open(connection) {
      opened?.(connection);
      return { data: () => undefined };
    },
  });
  const server = createServer(
    { protocol, listen: 'tcp://127.0.0.1:0' },
    { ...options, limits: { maxUnsentBytes: LARGE * 2, ...limits } },
  );
  running.push(server);
  const [bound] = await server.listen();
  const client = net.connect(Number(new URL(bound?.url ?? '').port), '127.0.0.1').on('error', () => undefined);
  client.pause();
  return { connection: await arrival, client };
}

/** Reads until the server's side has sent more than before. */
async function takeSome(connection: Connection, client: net.Socket): Promise<void> {
  const before = connection.sentBytes;
  client.resume();
  await eventually(() => connection.sentBytes > before);
  client.pause();
}

describe('over TCP', () => {
  test('a peer that takes a part of one large write keeps the connection, one that takes nothing is cut', async () => {
    const clock = createFakeClock();
    const { connection, client } = await overTcp({ clock, limits: { writeTimeoutMs: 30_000, idleTimeoutMs: 0 } });
    let outcome: string | undefined;
    connection.sendThen(Buffer.alloc(LARGE), (error) => (outcome = error === undefined ? 'sent' : 'not sent'));
    for (let round = 0; round < 3; round += 1) {
      await takeSome(connection, client);
      clock.advance(30_200);
      expect([connection.state, outcome]).toEqual(['open', undefined]);
    }
    expect(connection.sentBytes).toBeLessThan(LARGE);
    // What the kernel still took after the last look.
    clock.advance(30_200);
    clock.advance(30_200);
    expect(await connection.closed).toBe('write-timeout');
    await eventually(() => outcome !== undefined);
    expect(outcome).toBe('not sent');
    client.destroy();
  });

  test('all of it is sent when the peer reads', async () => {
    const { connection, client } = await overTcp();
    const taken = new Promise((resolve) => connection.sendThen(Buffer.alloc(LARGE), resolve));
    client.resume();
    expect(await taken).toBeUndefined();
    expect([connection.sentBytes, connection.unsentBytes]).toEqual([LARGE, 0]);
    client.destroy();
  });
});

describe('while TLS is being started', () => {
  const certificate = makeCertificate('own.example');

  test('it waits for the handshake and leaves encrypted', async () => {
    const { connection, client } = await overTcp({ tls: createTlsContext(certificate) });
    const clear = Buffer.alloc(LARGE);
    connection.send(clear);
    const secured = connection.startTls();
    const taken = new Promise((resolve) => connection.sendThen(Buffer.from('hello'), resolve));
    let received = 0;
    while (received < clear.length) {
      const chunk = client.read() as Buffer | null;
      if (chunk === null) await once(client, 'readable');
      else received += chunk.length;
    }
    client.removeAllListeners('readable');
    const secure = tls.connect({ socket: client, rejectUnauthorized: false });
    expect(String((await once(secure, 'data'))[0])).toBe('hello');
    await secured;
    expect(await taken).toBeUndefined();
    secure.destroy();
  });

  test('it comes back with an error when the connection breaks first', async () => {
    const { connection, client } = await overTcp({ tls: createTlsContext(certificate) });
    connection.send(Buffer.alloc(LARGE));
    const failed = expect(connection.startTls()).rejects.toMatchObject({ code: 'TLS_FAILED' });
    const taken = new Promise((resolve) => connection.sendThen(Buffer.from('hello'), resolve));
    client.resetAndDestroy();
    expect(await taken).toBeInstanceOf(Error);
    await failed;
  });

  test('an end on our side while the handshake waits is told to who waits for it', async () => {
    const { connection } = await overTcp({ tls: createTlsContext(certificate) });
    connection.attach({ data: () => undefined });
    const failed = expect(connection.startTls()).rejects.toMatchObject({ code: 'TLS_FAILED' });
    connection.end();
    await failed;
  });
});
