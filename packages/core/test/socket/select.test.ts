import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatEndpoint } from '../../src/address/index.ts';
import { select, socket, type StreamSocket, type UdpSocket } from '../../src/socket/index.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const NOTHING = { readable: [], writable: [], acceptable: [] };

async function listenOn(): Promise<{ listener: StreamSocket; url: string }> {
  const listener = socket('stream');
  opened.push(listener);
  const url = formatEndpoint(await listener.bind('tcp://127.0.0.1:0'));
  await listener.listen();
  return { listener, url };
}

async function connectTo(url: string): Promise<StreamSocket> {
  const client = socket('stream');
  opened.push(client);
  await client.connect(url);
  return client;
}

async function pair(): Promise<{ client: StreamSocket; server: StreamSocket }> {
  const { listener, url } = await listenOn();
  const client = await connectTo(url);
  const server = await listener.accept();
  opened.push(server);
  return { client, server };
}

async function datagramSocket(): Promise<{ datagrams: UdpSocket; url: string }> {
  const datagrams = socket('datagram');
  opened.push(datagrams);
  return { datagrams, url: formatEndpoint(await datagrams.bind('udp://127.0.0.1:0')) };
}

describe('select', () => {
  test('resolves with those that are ready and takes nothing from them', async () => {
    const [a, b] = [await pair(), await pair()];
    const waiting = select({ readable: [a.server, b.server] });
    await b.client.write('word\n');
    expect(await waiting).toEqual({ ...NOTHING, readable: [b.server] });
    // Level-triggered: what is still there is told again.
    expect(await select({ readable: [a.server, b.server] })).toEqual({ ...NOTHING, readable: [b.server] });
    expect(await b.server.readLine()).toBe('word');
    expect(await select({ readable: [a.server, b.server] }, { timeoutMs: 0 })).toEqual(NOTHING);
  });

  test('an end and a reset are readable, since a read would not wait', async () => {
    const [a, b] = [await pair(), await pair()];
    await a.client.shutdown('write');
    expect((await select({ readable: [a.server, b.server] })).readable).toEqual([a.server]);
    expect(await a.server.read()).toBeUndefined();
    await b.client.close({ abort: true });
    expect((await select({ readable: [b.server] })).readable).toEqual([b.server]);
  });

  test('a listening socket is ready when an accept would not wait', async () => {
    const [a, b] = [await listenOn(), await listenOn()];
    const waiting = select({ acceptable: [a.listener, b.listener] });
    await connectTo(b.url);
    expect(await waiting).toEqual({ ...NOTHING, acceptable: [b.listener] });
    opened.push(await b.listener.accept());
    expect(await select({ acceptable: [a.listener, b.listener] }, { timeoutMs: 0 })).toEqual(NOTHING);
  });

  test('one wait covers streams, listeners and datagrams at once', async () => {
    const { server } = await pair();
    const { listener } = await listenOn();
    const { datagrams, url } = await datagramSocket();
    const waiting = select({ readable: [server, datagrams], acceptable: [listener] });
    const sender = await datagramSocket();
    await sender.datagrams.sendTo('ping', url);
    expect(await waiting).toEqual({ ...NOTHING, readable: [datagrams] });
    expect(Buffer.from((await datagrams.receiveFrom()).data).toString()).toBe('ping');
  });

  test('a socket with room is writable at once; one whose peer takes nothing only when it takes again', async () => {
    const { client, server } = await pair();
    expect((await select({ writable: [client] })).writable).toEqual([client]);
    const writing = client.write(Buffer.alloc(8 * 1024 * 1024));
    expect(await select({ writable: [client], readable: [client] }, { timeoutMs: 0 })).toEqual(NOTHING);
    const waiting = select({ writable: [client] });
    let received = 0;
    while (received < 8 * 1024 * 1024) received += (await server.read())!.length;
    expect((await waiting).writable).toEqual([client]);
    await writing;
  });

  test('a listening socket is readable when a connection waits, and no more once it is accepted', async () => {
    const { listener, url } = await listenOn();
    expect(await select({ readable: [listener] }, { timeoutMs: 0 })).toEqual(NOTHING);
    const waiting = select({ readable: [listener] });
    await connectTo(url);
    expect(await waiting).toEqual({ ...NOTHING, readable: [listener] });
    opened.push(await listener.accept());
    expect(await select({ readable: [listener] }, { timeoutMs: 0 })).toEqual(NOTHING);
    const closing = select({ readable: [listener] });
    await listener.close();
    expect((await closing).readable).toEqual([listener]);
  });

  test.each([Number.NaN, -1, '5', null])('a timeout of %s is refused by name', async (timeoutMs) => {
    const { server } = await pair();
    await expect(select({ readable: [server] }, { timeoutMs: timeoutMs as number })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: `select: timeoutMs is '${String(timeoutMs)}', allowed is a number of milliseconds from 0`,
    });
  });

  test('a timeout that is longer than any timer is no end of the wait', async () => {
    const { client, server } = await pair();
    const waiting = [Number.POSITIVE_INFINITY, 2 ** 31].map((timeoutMs) =>
      select({ readable: [server] }, { timeoutMs }),
    );
    await client.write('x');
    for (const selected of await Promise.all(waiting)) expect(selected.readable).toEqual([server]);
  });

  test('a timeout resolves with nothing, an abort rejects with its reason', async () => {
    const { server } = await pair();
    expect(await select({ readable: [server] }, { timeoutMs: 1 })).toEqual(NOTHING);
    const leave = new AbortController();
    const waiting = select({ readable: [server] }, { signal: leave.signal });
    leave.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(select({ readable: [server] }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(await select({}, { timeoutMs: 0 })).toEqual(NOTHING);
  });

  test('a socket in the wrong state is refused by name; one that is closed while waited for is ready', async () => {
    const { listener } = await listenOn();
    const unbound = socket('stream');
    await expect(select({ readable: [unbound] })).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining('select for read on a stream socket that is unbound') as string,
    });
    await expect(select({ writable: [listener] })).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await expect(select({ acceptable: [(await pair()).client] })).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await expect(select({ readable: [socket('datagram')] })).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining('select for receiveFrom on a datagram socket that is unbound') as string,
    });
    const waiting = select({ acceptable: [listener] });
    await listener.close();
    expect((await waiting).acceptable).toEqual([listener]);
  });

  test('one that has resolved looks no more', async () => {
    const { client, server } = await pair();
    const looks = vi.spyOn(server, 'isReady');
    const waiting = select({ readable: [server] }, { timeoutMs: 60_000 });
    await client.write('one\n');
    await waiting;
    const before = looks.mock.calls.length;
    expect(await server.readLine()).toBe('one');
    await client.write('two\n');
    expect(await server.readLine()).toBe('two');
    expect(looks.mock.calls.length).toBe(before);
  });

  test('a service on several ports needs one loop and no callback', async () => {
    const services = [await listenOn(), await listenOn()];
    const { datagrams, url } = await datagramSocket();
    const open = new Set<StreamSocket>();
    const leave = new AbortController();
    // An echo server as written since 1983.
    const serving = (async () => {
      for (;;) {
        const ready = await select(
          { acceptable: services.map(({ listener }) => listener), readable: [...open, datagrams] },
          { signal: leave.signal },
        );
        for (const listener of ready.acceptable) open.add(await listener.accept());
        for (const one of ready.readable) {
          if (one.type === 'datagram') {
            const { data, from } = await one.receiveFrom();
            await one.sendTo(data, from);
            continue;
          }
          const data = await one.read();
          if (data !== undefined) await one.write(data);
          else {
            open.delete(one);
            await one.close();
          }
        }
      }
    })();
    const clients = [
      await connectTo(services[0]!.url),
      await connectTo(services[1]!.url),
      await connectTo(services[1]!.url),
    ];
    for (const [index, client] of clients.entries()) await client.write(`client ${index}\n`);
    for (const [index, client] of clients.entries()) expect(await client.readLine()).toBe(`client ${index}`);
    const sender = socket('datagram');
    opened.push(sender);
    await sender.connect(url);
    await sender.write('datagram');
    expect(Buffer.from(await sender.read()).toString()).toBe('datagram');
    for (const client of clients) await client.shutdown('write');
    for (const client of clients) expect(await client.read()).toBeUndefined();
    leave.abort(new Error('done'));
    await expect(serving).rejects.toThrow('done');
    expect(open.size).toBe(0);
  });
});
