import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import { eventually } from '../../src/testing/index.ts';

test('asks until the condition is true, and not once more', async () => {
  let asked = 0;
  await eventually(() => (asked += 1) === 30);
  expect(asked).toBe(30);
});

test('asks until no assertion throws, also one that is made later', async () => {
  let asked = 0;
  await eventually(async () => {
    asked += 1;
    await Promise.resolve();
    assert.equal(asked, 3);
  });
  expect(asked).toBe(3);
});

test('other work of the process goes on between two checks', async () => {
  let isDone = false;
  setTimeout(() => (isDone = true), 30);
  await eventually(() => isDone);
});

test('fails with the error of the last assertion', async () => {
  let asked = 0;
  const failing = eventually(
    () => {
      asked += 1;
      throw new Error(`failure ${asked}`);
    },
    { timeoutMs: 30 },
  );
  const error: unknown = await failing.catch((thrown: unknown) => thrown);
  expect(asked).toBeGreaterThan(1);
  expect(error).toEqual(new Error(`failure ${asked}`));
});

test('fails with the condition that was false, though an earlier check threw', async () => {
  let asked = 0;
  const check = (): boolean => {
    asked += 1;
    if (asked === 1) throw new Error('not yet');
    return asked < 0;
  };
  await expect(eventually(check, { timeoutMs: 30 })).rejects.toThrow('was not true within 30 ms: () => {');
});

test('a check that is in time is taken although it was the last one', async () => {
  let asked = 0;
  await eventually(() => (asked += 1) === 1, { timeoutMs: 0 });
  expect(asked).toBe(1);
});
