import { describe, expect, test } from 'vitest';
import {
  AdminConnections,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
  STRANGER_MS,
  STUCK_MS,
  type AdminSocket,
} from '../../src/admin/connections.ts';

interface FakeSocket extends AdminSocket {
  isDestroyed: boolean;
  bytesWritten: number;
  writableLength: number;
}

function socketFrom(remoteAddress: string): FakeSocket {
  const socket: FakeSocket = {
    remoteAddress,
    remotePort: 1,
    bytesWritten: 0,
    writableLength: 0,
    isDestroyed: false,
    once: () => socket as never,
    destroy: () => (socket.isDestroyed = true),
  };
  return socket;
}

const stranger = (index: number): string => `192.0.2.${index + 1}`;

function open(connections: AdminConnections, count: number, address: (index: number) => string): FakeSocket[] {
  return Array.from({ length: count }, (_, index) => {
    const socket = socketFrom(address(index));
    connections.opened(socket, 0);
    return socket;
  });
}

const ended = (sockets: readonly FakeSocket[]): number[] =>
  sockets.flatMap(({ isDestroyed }, index) => (isDestroyed ? [index] : []));

describe('connections of the admin listener', () => {
  test('as many as there may be stay, and the next one costs the oldest of a stranger', () => {
    const connections = new AdminConnections();
    const first = open(connections, MAX_CONNECTIONS, stranger);
    expect(ended(first)).toEqual([]);
    const late = open(connections, 1, () => '198.51.100.1');
    expect([ended(first), ended(late)]).toEqual([[0], []]);
  });

  test('one address has its share, and the next one costs its own oldest', () => {
    const connections = new AdminConnections();
    const other = open(connections, 1, stranger);
    const own = open(connections, MAX_CONNECTIONS_PER_ADDRESS, () => '2001:db8::1');
    expect(ended(own)).toEqual([]);
    const late = open(connections, 1, () => '2001:db8::2');
    expect([ended(other), ended(own), ended(late)]).toEqual([[], [0], []]);
  });

  test('however many come from the network, those of this machine stay, and the other way round', () => {
    const connections = new AdminConnections();
    const probe = open(connections, 1, () => '127.0.0.1');
    open(connections, 3 * MAX_CONNECTIONS, (index) => `10.0.${index % 200}.${Math.floor(index / 200)}`);
    const far = open(connections, 1, stranger);
    open(connections, 3 * MAX_CONNECTIONS, () => '::ffff:127.0.0.1');
    expect([ended(probe), ended(far)]).toEqual([[0], []]);
    const mapped = open(connections, 1, () => '::1');
    open(connections, 3 * MAX_CONNECTIONS, (index) => `10.1.${index % 200}.${Math.floor(index / 200)}`);
    expect(ended(mapped)).toEqual([]);
  });

  test('a reader gives way to nobody: where there are readers only, the newest goes', () => {
    const connections = new AdminConnections();
    const readers = open(connections, MAX_CONNECTIONS, stranger);
    for (const reader of readers) connections.markReader(reader);
    const late = open(connections, 1, () => '198.51.100.1');
    expect([ended(readers), ended(late)]).toEqual([[], [0]]);
  });

  test.each([
    [STRANGER_MS - 1, []],
    [STRANGER_MS, [0]],
  ])("a stranger's connection of %d ms is ended: %j, whatever it takes", (ageMs, expected) => {
    const connections = new AdminConnections();
    const sockets = open(connections, 1, stranger);
    connections.sweep(ageMs - 1);
    sockets[0]!.bytesWritten = 1000;
    connections.sweep(ageMs);
    expect(ended(sockets)).toEqual(expected);
  });

  test('a reader stays for as long as it takes something, and is ended when it takes nothing for too long', () => {
    const connections = new AdminConnections();
    const [reader] = open(connections, 1, stranger) as [FakeSocket];
    connections.markReader(reader);
    reader.bytesWritten = 10_000;
    for (let turn = 1; turn <= 5; turn += 1) {
      reader.writableLength = 5_000 - turn;
      connections.sweep(turn * STUCK_MS);
    }
    connections.sweep(6 * STUCK_MS - 1);
    expect(reader.isDestroyed).toBe(false);
    connections.sweep(6 * STUCK_MS);
    expect(reader.isDestroyed).toBe(true);
  });

  test('a reader for whom nothing waits may be silent', () => {
    const connections = new AdminConnections();
    const [reader] = open(connections, 1, stranger) as [FakeSocket];
    connections.markReader(reader);
    connections.sweep(100 * STUCK_MS);
    expect(reader.isDestroyed).toBe(false);
  });
});
