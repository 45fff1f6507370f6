import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SecondaryConnectionSet } from '../../src/accept/secondary-connections.ts';
import { Registry } from '../../src/accept/registry.ts';
import {
  createServer,
  createTlsContext,
  defineProtocol,
  DEFAULT_CONNECTION_LIMITS,
  type Connection,
  type SecondaryConnections,
  type SecondaryListener,
  type Server,
  type ServerOptions,
} from '../../src/index.ts';
import { TimerWheel } from '../../src/time/timer-wheel.ts';
import {
  connectClient,
  createFakeClock,
  createMemoryConnection,
  eventually,
  unusedAddress,
} from '../../src/testing/index.ts';
import { createMemoryNetwork } from '../../src/testing/memory-network.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';

const CLIENT = '192.0.2.1';
const OPTIONS = { connectTimeoutMs: 30_000 };

/** A set over a network in memory, and a parent whose remote address is `CLIENT`. */
function inMemory() {
  const clock = createFakeClock();
  const network = createMemoryNetwork();
  const registry = new Registry({ maxConnections: 9, maxConnectionsPerAddress: 9, freePerAddress: 9, maxWaiting: 0 });
  const set = new SecondaryConnectionSet({
    network,
    clock,
    wheel: new TimerWheel(clock),
    limits: DEFAULT_CONNECTION_LIMITS,
    registry,
  });
  const { connection: parent, peer } = createMemoryConnection({ clock });
  parent.attach({ data: () => undefined });
  const listen = async (): Promise<SecondaryListener> => {
    const listener = await set.listen(parent, OPTIONS);
    if (listener === undefined) throw new Error('no port');
    return listener;
  };
  return { clock, network, set, parent, parentPeer: peer, listen, counted: () => registry.counters().get('secondary') };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('listening for a secondary connection', () => {
  test("gives the one that comes from the parent's peer, on the parent's address, and then the port is closed", async () => {
    const { network, listen, counted } = inMemory();
    const listener = await listen();
    const peer = network.connectTo(listener.port, CLIENT);
    const connection = await listener.accept();
    expect(connection.local).toEqual({ family: 'ipv4', address: '127.0.0.1', port: listener.port });
    expect(connection.state).toBe('accepted');
    expect(network.ports).toEqual([]);
    await connection.write('hello');
    expect(peer?.take()).toBe('hello');
    connection.end();
    peer?.end();
    expect(counted()).toEqual({ open: 0, waiting: 0, accepted: 1, closed: { finished: 1 } });
  });

  test('gives one that came before it was asked for', async () => {
    const { network, listen } = inMemory();
    const listener = await listen();
    const accepted = listener.accept();
    const peer = network.connectTo(listener.port, CLIENT);
    await (await accepted).write('hello');
    expect(peer?.take()).toBe('hello');
  });

  test('drops a stranger, and goes on', async () => {
    const { network, listen, counted } = inMemory();
    const listener = await listen();
    expect(network.connectTo(listener.port, '192.0.2.2')?.closed).toBe(true);
    expect(counted()?.closed).toEqual({ denied: 1 });
    network.connectTo(listener.port, CLIENT);
    expect((await listener.accept()).remote).toMatchObject({ address: CLIENT });
  });

  test('ends with CONNECT_FAILED at its deadline on the clock, not before, and the port is free', async () => {
    const { clock, network, listen } = inMemory();
    const listener = await listen();
    const accepted = listener.accept();
    const failed = expect(accepted).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    clock.advance(29_999);
    expect(network.ports).toEqual([listener.port]);
    clock.advance(1);
    expect(network.ports).toEqual([]);
    await failed;
    await expect((await listen()).accept(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });

  test.each([
    ['a client that comes within three seconds', 2_999, 'served'],
    ['nobody after that', 3_000, 'CONNECT_FAILED'],
  ])('serves, after a connection whose peer is not known any more, %s', async (_, waitedMs, expected) => {
    const { clock, network, listen, counted } = inMemory();
    const listener = await listen();
    const accepted = listener.accept().then(
      () => 'served',
      (error: unknown) => (error as { readonly code: string }).code,
    );
    network.connectTo(listener.port, '');
    clock.advance(1_000);
    network.connectTo(listener.port, '');
    expect(counted()?.closed).toEqual({ denied: 2 });
    clock.advance(waitedMs - 1_000);
    network.connectTo(listener.port, CLIENT);
    expect(await accepted).toBe(expected);
  });

  test('ends with the reason of the signal, and with close', async () => {
    const { network, listen } = inMemory();
    const stop = new AbortController();
    const aborted = (await listen()).accept(stop.signal);
    stop.abort(new Error('stop'));
    await expect(aborted).rejects.toThrow('stop');
    const listener = await listen();
    const closed = listener.accept();
    listener.close();
    await expect(closed).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(network.ports).toEqual([]);
  });

  test('close drops one that came and was not accepted, and leaves one that was', async () => {
    const { network, listen } = inMemory();
    const first = await listen();
    const dropped = network.connectTo(first.port, CLIENT);
    first.close();
    expect(dropped?.closed).toBe(true);
    await expect(first.accept()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    const second = await listen();
    const kept = network.connectTo(second.port, CLIENT);
    await second.accept();
    second.close();
    expect(kept?.closed).toBe(false);
  });

  test('takes each port of the range once, and is undefined when all are taken', async () => {
    const { set, parent } = inMemory();
    const ports = { from: 7000, to: 7002 };
    const taken = [];
    for (let count = 0; count < 3; count += 1) taken.push((await set.listen(parent, { ...OPTIONS, ports }))?.port);
    expect(taken.sort()).toEqual([7000, 7001, 7002]);
    expect(await set.listen(parent, { ...OPTIONS, ports })).toBeUndefined();
  });

  test('is undefined for a parent on a unix socket, and for one that has closed', async () => {
    const { set, parent } = inMemory();
    const unix = createMemoryConnection({ local: { family: 'unix', path: '/x' } }).connection;
    expect(await set.listen(unix, OPTIONS)).toBeUndefined();
    const late = set.listen(parent, OPTIONS);
    parent.destroy();
    expect(await late).toBeUndefined();
    expect(await set.listen(parent, OPTIONS)).toBeUndefined();
  });
});

describe('connecting out', () => {
  const TO = { address: CLIENT, port: 2000 };

  test("starts at the parent's address", async () => {
    const { set, parent, network } = inMemory();
    const connection = await set.connect(parent, TO, OPTIONS);
    expect(connection.local).toMatchObject({ address: '127.0.0.1' });
    expect(network.dialed.map(({ to }) => to)).toEqual([`${CLIENT} 2000`]);
  });

  test('rejects when nothing listens, when there is no answer in time, and with the reason of the signal', async () => {
    const { set, parent, network, clock } = inMemory();
    network.behaviour = 'refuses';
    await expect(set.connect(parent, TO, OPTIONS)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    network.behaviour = 'silent';
    const late = expect(set.connect(parent, TO, OPTIONS)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    clock.advance(30_000);
    await late;
    const stop = new AbortController();
    const stopped = expect(set.connect(parent, TO, { ...OPTIONS, signal: stop.signal })).rejects.toThrow('stop');
    stop.abort(new Error('stop'));
    await stopped;
  });

  test('is given up when its parent closes', async () => {
    const { set, parent, network } = inMemory();
    network.behaviour = 'silent';
    const failed = expect(set.connect(parent, TO, OPTIONS)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    parent.destroy();
    await failed;
    await expect(set.connect(parent, TO, OPTIONS)).rejects.toMatchObject({ code: 'WRONG_STATE' });
  });
});

describe('the end of the parent', () => {
  test('closes the port, and destroys what is open unless its last word was said', async () => {
    const { network, listen, parent, counted } = inMemory();
    const [waiting, held, open, lingering] = [await listen(), await listen(), await listen(), await listen()];
    const peers = [held, open, lingering].map(({ port }) => network.connectTo(port, CLIENT));
    (await open.accept()).attach({ data: () => undefined });
    const last = await lingering.accept();
    last.attach({ data: () => undefined });
    last.end('the end');
    parent.destroy();
    await settle();
    expect(network.ports).toEqual([]);
    await expect(waiting.accept()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(peers.map((peer) => peer?.closed)).toEqual([true, true, false]);
    expect(counted()?.closed).toEqual({ aborted: 2 });
    peers[2]?.end();
    expect(counted()?.closed).toEqual({ aborted: 2, finished: 1 });
  });
});

describe('limits', () => {
  test('are those of the service where the protocol names no others, and run on its clock', async () => {
    const { set, parent, network, clock } = inMemory();
    const connect = async (idleTimeoutMs?: number): Promise<Connection> => {
      const limits = idleTimeoutMs === undefined ? {} : { idleTimeoutMs };
      const connection = await set.connect(parent, { address: CLIENT, port: 2000 }, { ...OPTIONS, limits });
      connection.attach({ data: () => undefined });
      return connection;
    };
    parent.setIdleTimeout(0);
    const [short, usual] = [await connect(10_000), await connect()];
    network.dialed[0]?.peer.send('x');
    clock.advance(9_900);
    expect(short.state).toBe('open');
    clock.advance(300);
    expect([short.reason, usual.state]).toEqual(['idle-timeout', 'open']);
    clock.advance(290_000);
    expect(usual.reason).toBe('idle-timeout');
  });
});

describe('a drain', () => {
  test('waits for the parents, then for what is left, and cuts that at its deadline', async () => {
    const { set, parent, clock, network } = inMemory();
    const connection = await set.connect(parent, { address: CLIENT, port: 2000 }, OPTIONS);
    connection.attach({ data: () => undefined });
    let parentsGone: (() => void) | undefined;
    let isOver = false;
    const drained = set.drain(5_000, new Promise((resolve) => (parentsGone = resolve))).then(() => (isOver = true));
    parentsGone?.();
    await settle();
    expect(isOver).toBe(false);
    clock.advance(5_000);
    await drained;
    expect(connection.reason).toBe('drain-timeout');
    expect(network.dialed[0]?.peer.closed).toBe(true);
  });

  test('with nothing open resolves with the parents', async () => {
    const { set } = inMemory();
    await set.drain(5_000, Promise.resolve());
  });
});

// Over sockets --------------------------------------------------------------------------------------------------------

let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('own.example');
});

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

interface Beside {
  readonly server: Server;
  readonly parent: Connection;
  readonly secondary: SecondaryConnections;
  /** The client's end of the parent. */
  readonly client: Awaited<ReturnType<typeof connectClient>>;
}

/** A server whose connections do nothing, and one of them. */
async function besideOne(options: ServerOptions = {}, listen = 'tcp://127.0.0.1:0'): Promise<Beside> {
  let opened: ((beside: Pick<Beside, 'parent' | 'secondary'>) => void) | undefined;
  const arrival = new Promise<Pick<Beside, 'parent' | 'secondary'>>((resolve) => (opened = resolve));
  const protocol = defineProtocol({
    name: 'parent',
    port: 0,
    open(parent, { secondary }) {
      opened?.({ parent, secondary });
      return { data: () => undefined };
    },
  });
  const server = createServer({ protocol, listen }, options);
  running.push(server);
  const [bound] = await server.listen();
  const client = await connectClient(bound?.url ?? '');
  return { server, client, ...(await arrival) };
}

const echo = (connection: Connection) => ({ data: (chunk: Uint8Array) => void connection.send(chunk) });

describe('over TCP', () => {
  test('a stranger is dropped, and the client is served after it', async () => {
    const { parent, secondary } = await besideOne();
    const listener = await secondary.listen(parent, OPTIONS);
    const port = listener?.port ?? 0;
    const stranger = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => undefined);
    await once(stranger, 'close');
    const client = net.connect({ port, host: '127.0.0.1' });
    const connection = await listener!.accept();
    connection.attach(echo(connection));
    client.write('hello');
    expect(String((await once(client, 'data'))[0])).toBe('hello');
    client.destroy();
  });

  test('one that is reset before it is accepted is waited for no longer than a moment', async () => {
    const clock = createFakeClock();
    const { server, parent, secondary } = await besideOne({ clock });
    const listener = await secondary.listen(parent, OPTIONS);
    // Meanwhile this process accepts nothing.
    const reset = `require('node:net').connect(${listener?.port}, '127.0.0.1', function () { this.resetAndDestroy(); })`;
    execFileSync(process.execPath, ['-e', reset]);
    const failed = expect(listener!.accept()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    await eventually(async () => {
      const [service] = (await server.status()).services;
      return service?.listeners.some(({ connections }) => connections.closed.denied === 1) === true;
    });
    clock.advance(3_000);
    await failed;
  });

  test('a port that another program listens on is not given twice', async () => {
    const { host, port } = await unusedAddress();
    const { parent, secondary } = await besideOne({}, `tcp://${host}:0`);
    const ports = { from: port, to: port };
    const other = net.createServer().listen(port, host);
    await once(other, 'listening');
    expect(await secondary.listen(parent, { ...OPTIONS, ports })).toBeUndefined();
    other.close();
    await once(other, 'close');
    const listener = await secondary.listen(parent, { ...OPTIONS, ports });
    expect(listener?.port).toBe(port);
    listener?.close();
  });

  test("connects from the parent's address, and says why it can't", async () => {
    const { host, port } = await unusedAddress();
    const { parent, secondary } = await besideOne({}, `tcp://${host}:0`);
    const to = { address: host, port };
    await expect(secondary.connect(parent, to, OPTIONS)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    const listener = net.createServer().listen(port, host);
    await once(listener, 'listening');
    const accepted = once(listener, 'connection');
    const connection = await secondary.connect(parent, to, OPTIONS);
    const [socket] = (await accepted) as [net.Socket];
    expect(socket.remoteAddress).toBe(host);
    expect(connection.local).toMatchObject({ address: host, port: socket.remotePort });
    socket.destroy();
    listener.close();
  });

  test('status counts it as the listener `secondary`, and lists its pair', async () => {
    const { server, parent, secondary } = await besideOne();
    expect((await server.status()).services[0]?.listeners).toHaveLength(1);
    const listener = await secondary.listen(parent, OPTIONS);
    const client = net.connect({ port: listener?.port ?? 0, host: '127.0.0.1' });
    const connection = await listener!.accept();
    expect(connection.id).not.toBe(parent.id);
    const [service] = (await server.status()).services;
    expect(service?.listeners.find(({ endpoint }) => endpoint === 'secondary')?.connections).toMatchObject({ open: 1 });
    expect(service?.pairs).toContainEqual(
      expect.objectContaining({
        local: `127.0.0.1:${listener?.port}`,
        remote: `127.0.0.1:${client.localPort}`,
        state: 'accepted',
      }),
    );
    connection.destroy();
    client.destroy();
  });

  test('a server that closes waits for one whose last word is on its way, though its parent is gone', async () => {
    const { server, parent, secondary, client } = await besideOne();
    const listener = await secondary.listen(parent, OPTIONS);
    const slow = net.connect({ port: listener?.port ?? 0, host: '127.0.0.1', allowHalfOpen: true });
    slow.pause();
    const connection = await listener!.accept();
    connection.attach({ data: () => undefined });
    // More than the kernel's buffers hold.
    const byteLength = 8 * 1024 * 1024;
    connection.send(Buffer.alloc(byteLength));
    connection.end();
    client.reset();
    await parent.closed;
    const closed = server.close({ graceMs: 20_000 });
    let received = 0;
    slow.on('data', (chunk: Buffer) => (received += chunk.length));
    slow.on('end', () => slow.end());
    slow.resume();
    await closed;
    expect([connection.state, connection.reason]).toEqual(['closed', 'finished']);
    await eventually(() => received === byteLength);
  });
});

describe('TLS on a secondary connection', () => {
  const speak = async (port: number): Promise<string> => {
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    client.write('hello');
    const [answer] = (await once(client, 'data')) as [Buffer];
    client.destroy();
    return String(answer);
  };

  test('is spoken before anything else, as the server', async () => {
    const { parent, secondary } = await besideOne();
    const listener = await secondary.listen(parent, OPTIONS);
    const spoken = speak(listener?.port ?? 0);
    const connection = await listener!.accept();
    connection.secureFirst(createTlsContext(certificate), () => connection.attach(echo(connection)));
    expect(await spoken).toBe('hello');
    expect(connection.secure?.protocol).toBe('TLSv1.3');
  });

  test("is spoken with the service's certificate after startTls, also where the server connected", async () => {
    const { parent, secondary } = await besideOne({ tls: createTlsContext(certificate) });
    const listener = net.createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as net.AddressInfo;
    const accepted = once(listener, 'connection') as Promise<[net.Socket]>;
    const connection = await secondary.connect(parent, { address: '127.0.0.1', port }, OPTIONS);
    connection.attach(echo(connection));
    const secured = connection.startTls();
    const client = tls.connect({ socket: (await accepted)[0], rejectUnauthorized: false });
    client.write('hello');
    expect((await secured).cipher).toMatch(/^TLS_/);
    expect(String((await once(client, 'data'))[0])).toBe('hello');
    client.destroy();
    listener.close();
  });

  test('that is not spoken in time ends it on the clock of the service', async () => {
    const clock = createFakeClock();
    const { parent, secondary } = await besideOne({ clock });
    const listener = await secondary.listen(parent, OPTIONS);
    const silent = net.connect({ port: listener?.port ?? 0, host: '127.0.0.1' });
    const connection = await listener!.accept();
    connection.secureFirst(createTlsContext(certificate), () => undefined);
    clock.advance(5_200);
    expect(await connection.closed).toBe('handshake-timeout');
    silent.destroy();
  });
});
