import { describe, expect, test } from 'vitest';
import type { Sink } from '../../src/index.ts';
import { CONNECTION_TRANSITIONS } from '../../src/connection/states.ts';
import { createMemoryConnection, serveInMemory } from '../../src/testing/index.ts';
import { defineProtocol } from '../../src/index.ts';

const collect = (): { sink: Sink; events: string[] } => {
  const events: string[] = [];
  return {
    events,
    sink: {
      data: (chunk) => void events.push(`data ${new TextDecoder('latin1').decode(chunk)}`),
      ended: () => void events.push('ended'),
      drained: () => void events.push('drained'),
      deadline: () => void events.push('deadline'),
      drain: () => void events.push('drain'),
      closed: (reason) => void events.push(`closed ${reason}`),
    },
  };
};

describe('the states of a connection', () => {
  test('a closed connection stays closed whatever happens', () => {
    expect(CONNECTION_TRANSITIONS.closed).toEqual({});
  });

  test('every state can be closed, and open is only reached from before it', () => {
    for (const [state, row] of Object.entries(CONNECTION_TRANSITIONS)) {
      expect(state === 'closed' || row.closed === 'closed').toBe(true);
      expect(['accepted', 'proxy-header', 'handshake'].includes(state)).toBe(Object.values(row).includes('open'));
    }
  });

  test('both directions close on their own, and the end of both is the end', () => {
    const { connection, peer } = createMemoryConnection();
    const { sink, events } = collect();
    expect(connection.state).toBe('accepted');
    connection.attach(sink);
    expect(connection.state).toBe('open');
    peer.send('question');
    peer.end();
    expect(connection.state).toBe('read-closed');
    connection.send('answer');
    connection.shutdown('write');
    expect(peer.take()).toBe('answer');
    expect(events).toEqual(['data question', 'ended', 'closed finished']);
    expect(connection.state).toBe('closed');
  });

  test('after shutdown of writing, reading goes on', () => {
    const { connection, peer } = createMemoryConnection();
    const { sink, events } = collect();
    connection.attach(sink);
    connection.shutdown('write');
    expect(connection.state).toBe('write-closed');
    expect(peer.sawEnd).toBe(true);
    expect(connection.send('too late')).toBe(false);
    peer.send('still heard');
    peer.end();
    expect(events).toEqual(['data still heard', 'ended', 'closed finished']);
    expect(peer.take()).toBe('');
  });

  test('after shutdown of reading, what comes is discarded and writing goes on', () => {
    const { connection, peer } = createMemoryConnection();
    const { sink, events } = collect();
    connection.attach(sink);
    connection.shutdown('read');
    peer.send('unheard');
    connection.send('said');
    expect(events).toEqual([]);
    expect(peer.take()).toBe('said');
  });

  test('a sink that does not care for the end is ended', () => {
    const { connection, peer, ...rest } = createMemoryConnection();
    connection.attach({ data: () => undefined });
    peer.end();
    expect(peer.closed).toBe(true);
    expect(connection.reason).toBe('finished');
    expect(rest).toBeDefined();
  });

  test('bytes that came before the sink are not lost', () => {
    const { connection, peer } = createMemoryConnection();
    peer.send('early');
    const { sink, events } = collect();
    connection.attach(sink);
    expect(events).toEqual(['data early']);
  });

  test('a reset gives its reason and error once', () => {
    const memory = createMemoryConnection();
    const { sink, events } = collect();
    memory.connection.attach(sink);
    memory.peer.reset();
    memory.connection.destroy();
    expect(events).toEqual(['closed peer-reset']);
    expect(memory.closeReason).toBe('peer-reset');
    expect(memory.connection.error?.message).toContain('reset');
  });

  test('a protocol that throws ends its own connection', () => {
    const memory = createMemoryConnection();
    memory.connection.attach({
      data: () => {
        throw new Error('a bug');
      },
    });
    memory.peer.send('x');
    expect(memory.closeReason).toBe('handler-failed');
    expect(memory.connection.error?.message).toBe('a bug');
  });
});

describe('the lingering close', () => {
  test('the last word arrives though the peer is still sending, and the end is clean when the peer closes', () => {
    const memory = createMemoryConnection();
    memory.connection.attach({ data: () => undefined });
    memory.connection.end('503 busy');
    expect(memory.connection.state).toBe('lingering');
    memory.peer.send('more of my request');
    expect(memory.peer.take()).toBe('503 busy');
    expect(memory.peer.sawEnd).toBe(true);
    expect(memory.peer.closed).toBe(false);
    memory.peer.end();
    expect(memory.closeReason).toBe('finished');
  });

  test('bytes up to the limit are discarded, one more cuts the connection', () => {
    const memory = createMemoryConnection({ limits: { lingerBytes: 10 } });
    memory.connection.attach({ data: () => undefined });
    memory.connection.end();
    memory.peer.send('x'.repeat(10));
    expect(memory.closeReason).toBeUndefined();
    memory.peer.send('x');
    expect(memory.closeReason).toBe('linger-overflow');
  });

  test('a peer that neither closes nor sends is cut off after the limit, not before', () => {
    const memory = createMemoryConnection({ limits: { lingerTimeoutMs: 2_000 } });
    memory.connection.attach({ data: () => undefined });
    memory.connection.end('bye');
    memory.clock.advance(1_900);
    expect(memory.closeReason).toBeUndefined();
    memory.clock.advance(500);
    expect(memory.closeReason).toBe('linger-timeout');
  });

  test('the reason of a refusal survives the linger', () => {
    const memory = createMemoryConnection();
    memory.connection.end('go away', 'latin1', 'address-limit');
    memory.clock.advance(10_000);
    expect(memory.peer.take()).toBe('go away');
    expect(memory.closeReason).toBe('address-limit');
  });

  test('the time to close begins when the last byte has left', () => {
    const memory = createMemoryConnection({ limits: { lingerTimeoutMs: 2_000, writeTimeoutMs: 30_000 } });
    memory.connection.attach({ data: () => undefined });
    memory.peer.reading = false;
    memory.connection.end('x'.repeat(20_000));
    memory.clock.advance(10_000);
    expect(memory.closeReason).toBeUndefined();
    memory.peer.reading = true;
    memory.clock.advance(1_500);
    expect(memory.closeReason).toBeUndefined();
    memory.clock.advance(3_000);
    expect(memory.closeReason).toBe('linger-timeout');
  });
});

describe('deadlines', () => {
  test('silence ends a connection at the idle limit; a byte in either direction starts it again', () => {
    const memory = createMemoryConnection({ limits: { idleTimeoutMs: 10_000 } });
    memory.connection.attach({ data: () => undefined });
    memory.clock.advance(9_000);
    memory.peer.send('x');
    memory.clock.advance(9_000);
    memory.connection.send('y');
    memory.clock.advance(9_000);
    expect(memory.closeReason).toBeUndefined();
    memory.clock.advance(1_500);
    expect(memory.closeReason).toBe('idle-timeout');
  });

  test('an idle limit of 0 is none', () => {
    const memory = createMemoryConnection({ limits: { idleTimeoutMs: 0 } });
    memory.connection.attach({ data: () => undefined });
    memory.clock.advance(86_400_000);
    expect(memory.closeReason).toBeUndefined();
  });

  test('a shorter idle limit set later holds', () => {
    const memory = createMemoryConnection({ limits: { idleTimeoutMs: 300_000 } });
    memory.connection.attach({ data: () => undefined });
    memory.connection.setIdleTimeout(1_000);
    memory.clock.advance(1_500);
    expect(memory.closeReason).toBe('idle-timeout');
  });

  test('the protocol deadline fires once, moves, and can be cleared', () => {
    const memory = createMemoryConnection();
    const { sink, events } = collect();
    memory.connection.attach(sink);
    memory.connection.setDeadline(5_000);
    memory.connection.setDeadline(1_000);
    memory.clock.advance(1_500);
    expect(events).toEqual(['deadline']);
    memory.connection.setDeadline(1_000);
    memory.connection.setDeadline(5_000);
    memory.clock.advance(4_000);
    expect(events).toEqual(['deadline']);
    memory.clock.advance(1_500);
    expect(events).toEqual(['deadline', 'deadline']);
    memory.connection.setDeadline(1_000);
    memory.connection.setDeadline(0);
    memory.clock.advance(10_000);
    expect(events).toEqual(['deadline', 'deadline']);
  });

  test('a last word that is said at the deadline is lingered for, though the idle limit passes in the same moment', () => {
    const { connection, peer, clock } = createMemoryConnection({ limits: { idleTimeoutMs: 5_000 } });
    connection.attach({ data: () => undefined, deadline: () => connection.end('bye') });
    connection.setDeadline(5_000);
    clock.advance(5_200);
    expect([peer.take(), peer.sawEnd, connection.state]).toEqual(['bye', true, 'lingering']);
  });

  test('without a deadline method the connection is cut', () => {
    const memory = createMemoryConnection();
    memory.connection.attach({ data: () => undefined });
    memory.connection.setDeadline(1_000);
    memory.clock.advance(1_500);
    expect(memory.closeReason).toBe('protocol-timeout');
  });

  test('a peer that takes nothing is cut at the write limit; one that takes a little is not', () => {
    const memory = createMemoryConnection({ limits: { writeTimeoutMs: 10_000, idleTimeoutMs: 0 } });
    memory.connection.attach({ data: () => undefined });
    memory.peer.reading = false;
    expect(memory.connection.send('x'.repeat(20_000))).toBe(false);
    memory.clock.advance(9_000);
    memory.peer.reading = true;
    memory.peer.reading = false;
    memory.connection.send('x'.repeat(20_000));
    memory.clock.advance(9_000);
    expect(memory.closeReason).toBeUndefined();
    memory.clock.advance(1_500);
    expect(memory.closeReason).toBe('write-timeout');
  });

  test('unsent bytes up to the limit are kept, one more cuts the connection', () => {
    const memory = createMemoryConnection({ limits: { maxUnsentBytes: 50_000 } });
    memory.connection.attach({ data: () => undefined });
    memory.peer.reading = false;
    memory.connection.send('x'.repeat(50_000));
    expect(memory.closeReason).toBeUndefined();
    memory.connection.send('x');
    expect(memory.closeReason).toBe('unsent-overflow');
  });
});

test('a single write may be larger than the limit: who waits for it is not cut, who does not is', async () => {
  const memory = createMemoryConnection({ limits: { maxUnsentBytes: 50_000 }, highWaterBytes: 16_384 });
  memory.peer.reading = false;
  const written = memory.connection.write('x'.repeat(200_000));
  expect(memory.closeReason).toBeUndefined();
  memory.peer.reading = true;
  await written;
  memory.peer.reading = false;
  const again = memory.connection.write('x'.repeat(200_000));
  const unawaited = memory.connection.write('y');
  await expect(again).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  await expect(unawaited).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  expect(memory.closeReason).toBe('unsent-overflow');
});

test('a large last word is not cut either', () => {
  const memory = createMemoryConnection({ limits: { maxUnsentBytes: 50_000 } });
  memory.connection.attach({ data: () => undefined });
  memory.peer.reading = false;
  memory.connection.end('x'.repeat(200_000));
  memory.peer.reading = true;
  expect(memory.peer.take().length).toBe(200_000);
  expect(memory.closeReason).not.toBe('unsent-overflow');
});

describe('back-pressure', () => {
  test('send returns false when the peer is slow, and drained tells when there is room', () => {
    const { connection, peer } = createMemoryConnection({ highWaterBytes: 10 });
    const { sink, events } = collect();
    connection.attach(sink);
    peer.reading = false;
    expect(connection.send('12345')).toBe(true);
    expect(connection.send('67890')).toBe(false);
    expect(connection.unsentBytes).toBe(10);
    expect(events).toEqual([]);
    peer.reading = true;
    expect(events).toEqual(['drained']);
    expect(peer.take()).toBe('1234567890');
  });
});

describe('the comfortable door', () => {
  const echo = defineProtocol({
    name: 'echo',
    port: 7,
    async connection(peer) {
      for await (const chunk of peer) await peer.write(chunk);
    },
  });

  test('a handler reads with for await and the connection ends with it', async () => {
    const memory = serveInMemory(echo);
    memory.peer.send('one ');
    await Promise.resolve();
    memory.peer.send('two');
    memory.peer.end();
    expect(await memory.connection.closed).toBe('finished');
    expect(memory.peer.take()).toBe('one two');
  });

  test('lines end with CR LF or LF, and the last one needs none', async () => {
    const { connection, peer } = createMemoryConnection();
    peer.send('first\r\nsecond\nthi');
    expect(await connection.readLine()).toBe('first');
    expect(await connection.readLine()).toBe('second');
    const third = connection.readLine();
    peer.send('rd');
    peer.end();
    expect(await third).toBe('third');
    expect(await connection.readLine()).toBeUndefined();
  });

  test.each([['\r\n'], ['\n']])('a line of the limit is read, one byte more is refused (ending %j)', async (ending) => {
    const { connection, peer } = createMemoryConnection();
    peer.send(`${'x'.repeat(10)}${ending}${'y'.repeat(11)}${ending}`);
    expect(await connection.readLine({ maxLineBytes: 10 })).toBe('x'.repeat(10));
    await expect(connection.readLine({ maxLineBytes: 10 })).rejects.toMatchObject({
      code: 'LINE_TOO_LONG',
      fault: 'remote',
    });
  });

  test('an endless line is refused as soon as it is too long', async () => {
    const { connection, peer } = createMemoryConnection();
    const line = connection.readLine({ maxLineBytes: 10 });
    peer.send('x'.repeat(12));
    await expect(line).rejects.toMatchObject({ code: 'LINE_TOO_LONG' });
  });

  test('read of a length gives exactly that many bytes, fewer only at the end', async () => {
    const { connection, peer } = createMemoryConnection();
    peer.send('abcdef');
    expect(await connection.read({ byteLength: 4 })).toEqual(new TextEncoder().encode('abcd'));
    const rest = connection.read({ byteLength: 4 });
    peer.end();
    expect(await rest).toEqual(new TextEncoder().encode('ef'));
    expect(await connection.read({ byteLength: 4 })).toBeUndefined();
  });

  test('a read that waits is rejected when the connection breaks', async () => {
    const { connection, peer } = createMemoryConnection();
    const waiting = connection.read();
    peer.reset();
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  test('two reads at once are refused, since neither would know its bytes', async () => {
    const { connection } = createMemoryConnection();
    void connection.read().catch(() => undefined);
    await expect(connection.read()).rejects.toMatchObject({ code: 'WRONG_STATE' });
    connection.destroy();
  });

  test('a write waits for room, and is rejected when the peer is gone', async () => {
    const { connection, peer } = createMemoryConnection({ highWaterBytes: 4 });
    peer.reading = false;
    let written = false;
    const first = connection.write('12345').then(() => (written = true));
    await Promise.resolve();
    expect(written).toBe(false);
    peer.reading = true;
    await first;
    peer.reading = false;
    const second = connection.write('12345');
    peer.reset();
    await expect(second).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await expect(connection.write('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  test('bytes that are not read pause the peer instead of filling memory', async () => {
    const { connection, peer } = createMemoryConnection();
    await connection.write('');
    peer.send(new Uint8Array(70_000));
    peer.send(new Uint8Array(70_000));
    expect(connection.receivedBytes).toBe(70_000);
    await connection.read();
    expect(connection.receivedBytes).toBe(140_000);
  });

  test('a handler that rejects ends its connection with the reason', async () => {
    const memory = serveInMemory(
      defineProtocol({ name: 'x', port: 1, connection: () => Promise.reject(new Error('a bug')) }),
    );
    expect(await memory.connection.closed).toBe('handler-failed');
  });
});

describe('the drain signal', () => {
  test('is aborted at the start of the drain, also when it is asked for later', () => {
    const early = createMemoryConnection().connection;
    const signal = early.drainSignal;
    expect(signal.aborted).toBe(false);
    early.startDrain();
    expect(signal.aborted).toBe(true);
    expect(early.drainSignal).toBe(signal);
    const late = createMemoryConnection().connection;
    late.startDrain();
    expect(late.drainSignal.aborted).toBe(true);
  });

  test('lets a handler that would go on without end say its last word', async () => {
    const protocol = defineProtocol({
      name: 'ticks',
      port: 0,
      async connection(peer) {
        await new Promise((resolve) => peer.drainSignal.addEventListener('abort', resolve));
        await peer.write('bye');
      },
    });
    const { connection, peer } = serveInMemory(protocol);
    connection.startDrain();
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.take()).toBe('bye');
    expect(peer.sawEnd).toBe(true);
  });
});
