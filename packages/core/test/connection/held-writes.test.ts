import { expect, test } from 'vitest';
import { HeldWrites } from '../../src/connection/held-writes.ts';

test('what is held has room up to the limit, and none from one byte past it on', () => {
  const held = new HeldWrites();
  expect(held.hold({ data: new Uint8Array(16_000), encoding: 'latin1' })).toBe(true);
  expect(held.hold({ data: 'x'.repeat(384), encoding: 'utf8' })).toBe(true);
  expect(held.hold({ data: 'x', encoding: 'utf8' })).toBe(false);
  expect([held.bytes, held.isFull, held.writes.map(({ data }) => data.length)]).toEqual([
    16_385,
    true,
    [16_000, 384, 1],
  ]);
});
