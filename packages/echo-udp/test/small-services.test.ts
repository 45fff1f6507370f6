import { connectDatagram } from '@wellknown/core/socket';
import { createServer, type Server } from '@wellknown/core';
import { connectClient, createFakeClock, eventually, serveInMemory } from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { smallServiceProtocol, SMALL_SERVICE_NAMES, SMALL_SERVICES, type SmallServiceName } from '../src/index.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const NOON = Date.UTC(2026, 0, 1, 12, 0, 0);

async function started(
  name: SmallServiceName,
  scheme: 'udp' | 'tcp',
  clock = createFakeClock({ wallMs: NOON }),
): Promise<{ url: string; server: Server }> {
  const server = createServer({ protocol: smallServiceProtocol(name), listen: `${scheme}://127.0.0.1:0` }, { clock });
  closers.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { url: bound?.url ?? '', server };
}

async function askDatagram(url: string, message: Uint8Array = new Uint8Array()): Promise<Buffer | undefined> {
  const peer = await connectDatagram(url);
  closers.push(() => peer.close());
  peer.send(message);
  const answer = await peer.read(5_000);
  return answer === undefined ? undefined : Buffer.from(answer);
}

async function askStream(url: string, words = ''): Promise<string> {
  const client = await connectClient(url);
  client.send(words);
  const all = await client.receiveAll();
  client.end();
  return all;
}

describe('the table', () => {
  test.each(SMALL_SERVICE_NAMES)('%s has its well-known port and RFC, and at least one way to be served', (name) => {
    const row = SMALL_SERVICES[name];
    const protocol = smallServiceProtocol(name);
    expect([protocol.name, protocol.port]).toEqual([name, row.port]);
    expect(row.rfc).toMatch(/^\d+$/);
    expect(protocol.open ?? protocol.datagrams).toBeDefined();
  });

  test('character generation is not offered over UDP, where it would answer one byte with hundreds', async () => {
    await expect(started('chargen', 'udp')).rejects.toThrow(/chargen is not served over udp/);
  });
});

describe('daytime and time', () => {
  test('daytime is a line of printable ASCII, the same over both', async () => {
    const line = 'Thu, 01 Jan 2026 12:00:00 GMT\r\n';
    expect(String(await askDatagram((await started('daytime', 'udp')).url))).toBe(line);
    expect(await askStream((await started('daytime', 'tcp')).url, 'whatever the client says')).toBe(line);
  });

  test('time is the seconds since 1900, the same over both', async () => {
    const seconds = NOON / 1000 + 2_208_988_800;
    expect((await askDatagram((await started('time', 'udp')).url))?.readUInt32BE(0)).toBe(seconds);
    expect(Buffer.from(await askStream((await started('time', 'tcp')).url), 'latin1').readUInt32BE(0)).toBe(seconds);
  });

  test('time starts again from 0 when its four bytes are full, in February 2036', async () => {
    const clock = createFakeClock({ wallMs: Date.UTC(2036, 1, 7, 6, 28, 17) });
    expect((await askDatagram((await started('time', 'udp', clock)).url))?.readUInt32BE(0)).toBe(1);
  });
});

describe('discard', () => {
  test('answers no datagram, and counts what came', async () => {
    const { url, server } = await started('discard', 'udp');
    const peer = await connectDatagram(url);
    closers.push(() => peer.close());
    for (let count = 0; count < 3; count += 1) peer.send(Uint8Array.of(count));
    await eventually(async () =>
      expect((await server.status()).services[0]!.datagrams).toMatchObject({ received: 3, sent: 0 }),
    );
  });

  test('takes a stream to its end and says nothing', () => {
    const memory = serveInMemory(smallServiceProtocol('discard'));
    memory.peer.send('x'.repeat(1_000_000));
    memory.peer.end();
    expect([memory.peer.take(), memory.peer.sawEnd, memory.closeReason]).toEqual(['', true, 'finished']);
  });
});

describe('character generation', () => {
  test('sends lines of 72 characters, each one further through the 95 printable ones', () => {
    const memory = serveInMemory(smallServiceProtocol('chargen'));
    const lines = memory.peer.take().split('\r\n');
    expect(lines[0]).toBe(Array.from({ length: 72 }, (_, index) => String.fromCharCode(32 + index)).join(''));
    expect(lines[1]?.[0]).toBe('!');
    expect(lines[94]).toBe(`~${lines[0]?.slice(0, 71)}`);
    expect(lines).toHaveLength(96);
  });

  test('goes on every ten milliseconds, waits for a peer that does not read, and ends with it', () => {
    const memory = serveInMemory(smallServiceProtocol('chargen'), { highWaterBytes: 100 });
    const blockBytes = memory.peer.take().length;
    memory.clock.advance(30);
    expect(memory.peer.take()).toHaveLength(3 * blockBytes);
    memory.peer.reading = false;
    memory.clock.advance(1_000);
    memory.peer.reading = true;
    expect(memory.peer.take().length).toBeLessThanOrEqual(2 * blockBytes);
    memory.peer.end();
    expect(memory.closeReason).toBe('finished');
    memory.clock.advance(1_000);
  });
});
