import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/address/index.ts';
import { select, socket, type UdpSocket, type UdpSocketOptions } from '../../src/socket/index.ts';
import { eventually } from '../../src/testing/index.ts';

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1');
const LOOPBACK = 'udp://127.0.0.1:0';
// 65535 less the headers of IPv4 and UDP.
const MAX_DATAGRAM_BYTES = 65_507;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const datagram = (options?: UdpSocketOptions): UdpSocket => {
  const made = socket('datagram', options);
  opened.push(made);
  return made;
};

async function boundTo(
  endpoint: string = LOOPBACK,
  options?: UdpSocketOptions,
): Promise<{ bound: UdpSocket; url: string }> {
  const bound = datagram(options);
  return { bound, url: formatEndpoint(await bound.bind(endpoint)) };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('a datagram socket', () => {
  test('cannot reach an address of the other family, and says so', async () => {
    const { url } = await boundTo();
    const other = datagram();
    await other.bind(hasIpv6 ? 'udp://[::1]:0' : LOOPBACK);
    await expect(other.sendTo('x', hasIpv6 ? url : 'udp://[::1]:9')).rejects.toMatchObject({
      code: 'SEND_FAILED',
      message: expect.stringContaining('different address families') as string,
    });
  });

  test('receives from any sender, and answers to the address that came with it', async () => {
    const { bound: server, url } = await boundTo();
    const clients = [await boundTo(), await boundTo()];
    for (const [index, { bound }] of clients.entries()) await bound.sendTo(`from ${index}`, url);
    for (const index of [0, 1]) {
      const { data, from } = await server.receiveFrom();
      expect(text(data)).toBe(`from ${index}`);
      expect(from).toEqual(clients[index]!.bound.local);
      await server.sendTo(`to ${index}`, from);
      expect(text((await clients[index]!.bound.receiveFrom()).data)).toBe(`to ${index}`);
    }
  });

  test('an unbound one is given a name by its first send, also when two are sent at once', async () => {
    const { bound: server, url } = await boundTo();
    const client = datagram();
    expect([client.state, client.local]).toEqual(['unbound', undefined]);
    await Promise.all([client.sendTo('one', url), client.sendTo('two', url)]);
    expect(client.state).toBe('bound');
    const [first, second] = [await server.receiveFrom(), await server.receiveFrom()];
    expect([text(first.data), text(second.data)]).toEqual(['one', 'two']);
    expect(first.from).toEqual(second.from);
    expect(client.local).toMatchObject({ port: first.from.family === 'unix' ? 0 : first.from.port });
  });

  test('sends while it is bound, once it has its name; and when that fails, under a name of its own', async () => {
    const { bound: server, url } = await boundTo();
    const client = datagram();
    const binding = client.bind('udp://127.0.0.1:0');
    expect(client.state).toBe('binding');
    await client.sendTo('one', url);
    expect((await server.receiveFrom()).from).toMatchObject({ port: ((await binding) as { port: number }).port });
    const other = datagram();
    const failing = expect(other.bind(url)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await other.sendTo('two', url);
    expect(text((await server.receiveFrom()).data)).toBe('two');
    await failing;
  });

  test.each(['sendTo', 'connect'] as const)('a name that is not known is told by %s as such', async (verb) => {
    const client = datagram();
    const unknown = 'udp://no-such-host.invalid:9';
    await expect(verb === 'sendTo' ? client.sendTo('x', unknown) : client.connect(unknown)).rejects.toMatchObject({
      code: 'NAME_NOT_FOUND',
      name: 'WellknownError',
    });
    expect(client.state).toBe('unbound');
  });

  test('keeps the borders of datagrams, the empty one and the largest among them', async () => {
    const { bound: server, url } = await boundTo();
    const { bound: client } = await boundTo();
    await client.sendTo('', url);
    expect((await server.receiveFrom()).data.length).toBe(0);
    await client.sendTo(new Uint8Array(MAX_DATAGRAM_BYTES), url);
    expect((await server.receiveFrom()).data.length).toBe(MAX_DATAGRAM_BYTES);
    await expect(client.sendTo(new Uint8Array(MAX_DATAGRAM_BYTES + 1), url)).rejects.toMatchObject({
      code: 'SEND_FAILED',
      fault: 'local',
      message: expect.stringContaining('larger than a datagram') as string,
    });
  });

  test('holds as many as may wait; the next one is dropped and counted', async () => {
    const { bound: server, url } = await boundTo(LOOPBACK, { maxQueued: 2 });
    const { bound: client } = await boundTo();
    for (const word of ['one', 'two', 'three']) await client.sendTo(word, url);
    // Each turn of the loop is a chance for the kernel's news; the counters tell when all three have come.
    await eventually(() => server.queued + server.dropped === 3);
    expect([server.queued, server.dropped]).toEqual([2, 1]);
    expect([text((await server.receiveFrom()).data), text((await server.receiveFrom()).data)]).toEqual(['one', 'two']);
  });

  test('an address in use is refused by bind with the endpoint, and the socket may try another', async () => {
    const { url } = await boundTo();
    const second = datagram();
    await expect(second.bind(url)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining(url) as string,
    });
    expect(second.state).toBe('unbound');
    await second.bind(LOOPBACK);
  });

  test('an aborted receive takes nothing, a close rejects who waits', async () => {
    const { bound: server, url } = await boundTo();
    const leave = new AbortController();
    const waiting = server.receiveFrom({ signal: leave.signal });
    leave.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await datagram().sendTo('kept', url);
    expect(text((await server.receiveFrom()).data)).toBe('kept');
    const second = server.receiveFrom();
    await server.close();
    await expect(second).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await server.close();
  });

  test('what can not be sent at all is told by name', async () => {
    const { bound } = await boundTo();
    await expect(bound.sendTo('x', 'udp://127.0.0.1:0')).rejects.toMatchObject({ code: 'SEND_FAILED' });
    await expect(bound.sendTo('x', 'udp://[::1]:9')).rejects.toMatchObject({ code: 'SEND_FAILED' });
    await expect(bound.connect('udp://127.0.0.1:0')).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(bound.state).toBe('bound');
  });

  test('streams are not carried by datagrams: their endpoints are refused', async () => {
    await expect(datagram().bind('tcp://127.0.0.1:0')).rejects.toMatchObject({ code: 'ENDPOINT_INVALID' });
    await expect(datagram().sendTo('x', 'unix:/tmp/x')).rejects.toMatchObject({ code: 'ENDPOINT_INVALID' });
    await expect(datagram().sendTo('x', { family: 'unix', path: '/tmp/x' })).rejects.toMatchObject({
      code: 'ENDPOINT_INVALID',
    });
  });
});

describe('a connected datagram socket', () => {
  test('reads and writes with its one peer, and hears only it', async () => {
    const { bound: server, url } = await boundTo();
    const client = datagram();
    await client.connect(url);
    expect(client.state).toBe('connected');
    expect(client.remote).toEqual(server.local);
    await client.write('question');
    const { from } = await server.receiveFrom();
    expect(from).toEqual(client.local);
    await (await boundTo()).bound.sendTo('stranger', from);
    await server.sendTo('answer', from);
    expect(text(await client.read())).toBe('answer');
    await expect(client.sendTo('x', url)).rejects.toMatchObject({ code: 'WRONG_STATE' });
  });

  test('lets go of what strangers sent before it had a peer, and keeps what its peer sent', async () => {
    const { bound: friend } = await boundTo();
    const { bound: client, url } = await boundTo();
    const { bound: stranger } = await boundTo();
    await stranger.sendTo('stranger', url);
    await friend.sendTo('friend', url);
    await eventually(() => client.queued === 2);
    await client.connect(friend.local!);
    expect(client.queued).toBe(1);
    expect(text(await client.read())).toBe('friend');
  });

  test('is told when no process receives at its peer', async () => {
    const { bound: gone, url } = await boundTo();
    await gone.close();
    const client = datagram();
    await client.connect(url);
    await client.write('hello?');
    expect((await select({ readable: [client] })).readable).toEqual([client]);
    await expect(client.read()).rejects.toMatchObject({
      code: 'SEND_FAILED',
      fault: 'remote',
      message: expect.stringContaining('no process receives') as string,
    });
    expect(client.state).toBe('connected');
  });
});
