// Who may connect to a port that waits for a secondary connection, and what happens while all ports are taken.

import { describe, expect, test } from 'vitest';
import { Registry } from '../../src/accept/registry.ts';
import { SecondaryConnectionSet } from '../../src/accept/secondary-connections.ts';
import { CidrTable } from '../../src/address/cidr-table.ts';
import { DEFAULT_CONNECTION_LIMITS, type SecondaryListenOptions } from '../../src/index.ts';
import { TimerWheel } from '../../src/time/timer-wheel.ts';
import { createFakeClock, createMemoryConnection } from '../../src/testing/index.ts';
import { createMemoryNetwork } from '../../src/testing/memory-network.ts';

const CLIENT = '192.0.2.1';
const PROXY = '198.51.100.7';
const PORTS = { from: 50_000, to: 50_000 };

function inMemory() {
  const clock = createFakeClock();
  const network = createMemoryNetwork();
  const proxies = new CidrTable<true>();
  proxies.add(PROXY, true);
  const set = new SecondaryConnectionSet({
    network,
    clock,
    wheel: new TimerWheel(clock),
    limits: DEFAULT_CONNECTION_LIMITS,
    proxies,
    registry: new Registry({ maxConnections: 9, maxConnectionsPerAddress: 9, freePerAddress: 9, maxWaiting: 0 }),
  });
  const { connection: parent } = createMemoryConnection({ clock });
  parent.attach({ data: () => undefined });
  const { connection: other } = createMemoryConnection({ clock });
  other.attach({ data: () => undefined });
  const listen = (options: Partial<SecondaryListenOptions> = {}, of = parent) =>
    set.listen(of, { connectTimeoutMs: 30_000, ports: PORTS, ...options });
  return { clock, network, parent, other, listen };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a port that is taken', () => {
  test('is not waited for unless it is asked for', async () => {
    const { listen } = inMemory();
    await listen();
    expect(await listen()).toBeUndefined();
  });

  test('is had as soon as its holder gives it up, by one after the other', async () => {
    const { listen } = inMemory();
    const first = await listen();
    const second = listen({ busyPortWaitMs: 1_000 });
    const third = listen({ busyPortWaitMs: 1_000 });
    await settle();
    first?.close();
    const listener = await second;
    expect(listener?.port).toBe(50_000);
    listener?.close();
    expect((await third)?.port).toBe(50_000);
  });

  test('is given up after the time that was named', async () => {
    const { clock, listen } = inMemory();
    await listen();
    let found: unknown = 'none yet';
    void listen({ busyPortWaitMs: 1_000 }).then((listener) => (found = listener));
    for (let waitedMs = 0; waitedMs < 900; waitedMs += 100) {
      await settle();
      clock.advance(100);
    }
    await settle();
    expect(found).toBe('none yet');
    clock.advance(100);
    await settle();
    expect(found).toBeUndefined();
  });

  test('by a session that has closed goes to the next that waits', async () => {
    const { listen, parent, other } = inMemory();
    const holder = await listen({}, other);
    const gone = listen({ busyPortWaitMs: 1_000 });
    const next = listen({ busyPortWaitMs: 1_000 }, other);
    await settle();
    parent.destroy();
    holder?.close();
    expect(await gone).toBeUndefined();
    expect((await next)?.port).toBe(50_000);
  });

  test('by another process is tried again, which tells nothing when it is free', async () => {
    const { clock, network, listen } = inMemory();
    const foreign = await network.listen('127.0.0.1', 50_000, { arrived: () => undefined, failed: () => undefined });
    const waiting = listen({ busyPortWaitMs: 1_000 });
    await settle();
    foreign.close();
    clock.advance(200);
    expect((await waiting)?.port).toBe(50_000);
  });
});

describe('who may connect', () => {
  test('is whom the protocol names, and nobody else', async () => {
    const { network, listen } = inMemory();
    const listener = await listen({ mayConnect: (address) => address === '203.0.113.9' });
    expect(network.connectTo(50_000, CLIENT)?.closed).toBe(true);
    network.connectTo(50_000, '203.0.113.9');
    expect((await listener?.accept())?.remote).toMatchObject({ address: '203.0.113.9' });
  });

  test('is, behind a proxy that is trusted, the client that it names; another loses its own connection only', async () => {
    const { network, listen } = inMemory();
    const listener = await listen();
    const wrong = network.connectTo(50_000, PROXY);
    wrong?.send('PROXY TCP4 203.0.113.9 192.0.2.2 4000 50000\r\n');
    expect(wrong?.closed).toBe(true);
    const local = network.connectTo(50_000, PROXY);
    local?.send('PROXY UNKNOWN\r\n');
    expect(local?.closed).toBe(true);
    const right = network.connectTo(50_000, PROXY);
    right?.send(`PROXY TCP4 ${CLIENT} 192.0.2.2 4000 50000\r\nhello`);
    const connection = await listener?.accept();
    expect(connection?.remote).toEqual({ family: 'ipv4', address: CLIENT, port: 4000 });
    expect(Buffer.from((await connection?.read()) ?? []).toString()).toBe('hello');
  });
});
