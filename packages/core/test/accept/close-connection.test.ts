// Ending one connection while the server goes on.

import { expect, test } from 'vitest';
import { closeConnection } from '../../src/accept/close-connection.ts';
import { createMemoryConnection } from '../../src/testing/index.ts';

test('its protocol is told as in a drain, and ends by itself', async () => {
  const memory = createMemoryConnection();
  memory.connection.attach({ data: () => undefined, drain: () => memory.connection.end('goodbye') });
  const closed = closeConnection(memory.connection, 1_000, memory.clock);
  expect(memory.peer.take()).toBe('goodbye');
  memory.peer.end();
  await closed;
  expect(memory.closeReason).toBe('finished');
});

test('a protocol that goes on is cut when the grace is over, not before', async () => {
  const memory = createMemoryConnection();
  memory.connection.attach({ data: () => undefined });
  const closed = closeConnection(memory.connection, 1_000, memory.clock);
  memory.clock.advance(999);
  expect(memory.closeReason).toBeUndefined();
  memory.clock.advance(1);
  await closed;
  expect(memory.closeReason).toBe('operator');
});

test('without grace it is reset at once, whatever its protocol is doing', async () => {
  const memory = createMemoryConnection();
  memory.connection.attach({ data: () => undefined });
  await closeConnection(memory.connection, 0, memory.clock);
  expect([memory.closeReason, memory.peer.closed]).toEqual(['operator', true]);
});
