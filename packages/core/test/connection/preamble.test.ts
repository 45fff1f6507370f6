// What happens between accept and open, over memory and with a clock that stands still.

import { describe, expect, test } from 'vitest';
import { buildProxyHeader } from '../../src/proxy-protocol/builder.ts';
import { byteByByte, createMemoryConnection, everyCut, type MemoryConnection } from '../../src/testing/index.ts';

const header = buildProxyHeader({
  version: 2,
  command: 'proxy',
  tlvs: [],
  source: { family: 'ipv4', address: '203.0.113.9', port: 4000 },
  destination: { family: 'ipv4', address: '198.51.100.1', port: 80 },
});
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function opened(memory: MemoryConnection): string[] {
  const received: string[] = [];
  memory.connection.readProxyHeader(() =>
    memory.connection.attach({
      data: (chunk) => void received.push(latin1(chunk)),
      ended: () => void received.push('end'),
    }),
  );
  return received;
}

describe('a PROXY header', () => {
  test('changes who the connection is with, and what follows it goes to the protocol', () => {
    for (const chunks of [
      ...everyCut(Buffer.concat([header, Buffer.from('hello')])),
      byteByByte(Buffer.concat([header, Buffer.from('hello')])),
    ]) {
      const memory = createMemoryConnection();
      const received = opened(memory);
      expect(memory.connection.state).toBe('proxy-header');
      for (const chunk of chunks) memory.peer.send(chunk);
      expect(memory.connection.state).toBe('open');
      expect(received.join('')).toBe('hello');
      expect(memory.connection.remote).toEqual({ family: 'ipv4', address: '203.0.113.9', port: 4000 });
      expect(memory.connection.local).toEqual({ family: 'ipv4', address: '198.51.100.1', port: 80 });
      expect(memory.connection.peer).toEqual({ family: 'ipv4', address: '192.0.2.1', port: 50_000 });
    }
  });

  test('holds back what follows until the protocol is there, and the end too', () => {
    const memory = createMemoryConnection();
    let isReady = false;
    memory.connection.readProxyHeader(() => (isReady = true));
    memory.peer.send(Buffer.concat([header, Buffer.from('hello ')]));
    memory.peer.send('again');
    memory.peer.end();
    expect(isReady).toBe(true);
    const received: string[] = [];
    memory.connection.attach({
      data: (chunk) => void received.push(latin1(chunk)),
      ended: () => void received.push('end'),
    });
    expect(received.join('')).toBe('hello againend');
  });

  test('of the proxy itself (LOCAL) leaves the endpoints of the connection', () => {
    const memory = createMemoryConnection();
    opened(memory);
    memory.peer.send(buildProxyHeader({ version: 2, command: 'local', tlvs: [] }));
    expect(memory.connection.remote).toEqual(memory.connection.peer);
    expect(memory.connection.proxyHeader?.command).toBe('local');
  });

  test('that does not come in time ends the connection with its own reason, and not before', () => {
    const memory = createMemoryConnection({ limits: { proxyHeaderTimeoutMs: 3_000, idleTimeoutMs: 1_000 } });
    opened(memory);
    memory.peer.send(header.slice(0, 20));
    memory.clock.advance(2_900);
    expect(memory.closeReason).toBeUndefined();
    memory.clock.advance(400);
    expect(memory.closeReason).toBe('proxy-timeout');
  });

  test('that is none is an error, also when it is cut off; a probe that says nothing is none', () => {
    const wrong = createMemoryConnection();
    opened(wrong);
    wrong.peer.send('GET / HTTP/1.1\r\n');
    expect(wrong.closeReason).toBe('proxy-error');
    expect(wrong.connection.error?.message).toContain('no PROXY header');
    const cut = createMemoryConnection();
    opened(cut);
    cut.peer.send(header.slice(0, 20));
    cut.peer.end();
    expect(cut.closeReason).toBe('proxy-error');
    const probe = createMemoryConnection();
    opened(probe);
    probe.peer.end();
    expect(probe.closeReason).toBe('finished');
  });

  test('is read once: what looks like a second one is for the protocol', () => {
    const memory = createMemoryConnection();
    const received = opened(memory);
    memory.peer.send(Buffer.concat([header, header]));
    expect(received).toEqual([latin1(header)]);
  });
});

describe('deadlines of an open connection', () => {
  test('one that has lived as long as it may is ended, however busy it is', () => {
    const memory = createMemoryConnection({ limits: { lifetimeMs: 60_000, idleTimeoutMs: 10_000 } });
    memory.connection.attach({ data: () => undefined });
    for (let second = 0; second < 59; second += 1) {
      memory.clock.advance(1_000);
      memory.peer.send('x');
    }
    expect(memory.connection.state).toBe('open');
    memory.clock.advance(1_300);
    expect(memory.connection.state).toBe('lingering');
    memory.peer.end();
    expect(memory.closeReason).toBe('lifetime');
  });

  test('a peer in the middle of a message must keep the lowest rate', () => {
    const memory = createMemoryConnection({ limits: { minReadBytesPerSecond: 10, idleTimeoutMs: 0 } });
    memory.connection.attach({ data: () => undefined });
    memory.connection.expectInput(true);
    const drip = (bytes: number, seconds: number): void => {
      for (let second = 0; second < seconds; second += 1) {
        memory.peer.send('x'.repeat(bytes));
        memory.clock.advance(1_000);
      }
    };
    drip(11, 30);
    expect(memory.closeReason).toBeUndefined();
    drip(8, 22);
    expect(memory.closeReason).toBe('read-rate');
  });

  test('between messages the peer may be silent', () => {
    const memory = createMemoryConnection({ limits: { minReadBytesPerSecond: 10, idleTimeoutMs: 0 } });
    memory.connection.attach({ data: () => undefined });
    memory.connection.expectInput(true);
    memory.peer.send('a short message');
    memory.connection.expectInput(false);
    memory.clock.advance(120_000);
    expect(memory.connection.state).toBe('open');
  });

  test('a peer that takes too little of what waits is cut by the lowest write rate, one that takes enough is not', () => {
    const slowly = (chunkBytes: number): MemoryConnection => {
      const memory = createMemoryConnection({
        limits: { minWriteBytesPerSecond: 100, writeTimeoutMs: 30_000, idleTimeoutMs: 0 },
        highWaterBytes: 1,
      });
      memory.connection.attach({ data: () => undefined });
      memory.peer.reading = false;
      for (let chunk = 0; chunk < 100; chunk += 1) memory.connection.send('x'.repeat(chunkBytes));
      for (let second = 0; second < 62; second += 1) {
        memory.peer.sip();
        memory.clock.advance(1_000);
      }
      return memory;
    };
    expect(slowly(50).closeReason).toBe('write-rate');
    expect(slowly(150).closeReason).toBeUndefined();
  });
});
