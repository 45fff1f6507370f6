import { expect, test } from 'vitest';
import { createTelnetServer } from '../src/index.ts';

test('an unknown limit of the sessions is refused, with the one that may be meant', () => {
  const session: object = { maxLineByte: 5 };
  expect(() => createTelnetServer(() => Promise.resolve(), { session })).toThrow(
    "the session limit 'maxLineByte' is unknown: meant may be 'maxLineBytes'",
  );
});
