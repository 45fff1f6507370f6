import { eventually } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { askHook, tellHook } from '../src/hooks.ts';

function recorder() {
  const errors: string[] = [];
  const quiet = (): void => undefined;
  const error = (_: unknown, message?: string): void => void errors.push(message ?? '');
  return { errors, log: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error, fatal: error } };
}

test('a hook that may refuse is asked, and its no is the answer', async () => {
  const { log, errors } = recorder();
  expect(await askHook(undefined, {}, log)).toBeUndefined();
  expect(await askHook(() => undefined, {}, log)).toBeUndefined();
  expect(await askHook(async () => undefined, {}, log)).toBeUndefined();
  expect(await askHook(async () => ({ refuse: 'no' }), {}, log)).toEqual({ refuse: 'no' });
  expect(errors).toEqual([]);
});

test('a hook that fails refuses, says nothing of why to the client, and is logged', async () => {
  const { log, errors } = recorder();
  const hooks = [
    (): never => {
      throw new Error('secret');
    },
    async (): Promise<never> => Promise.reject(new Error('secret')),
  ];
  for (const hook of hooks)
    expect(await askHook(hook, {}, log)).toEqual({ refuse: 'A local error occurred.', code: 451 });
  for (const hook of hooks) tellHook(hook, {}, log);
  await eventually(() => expect(errors).toHaveLength(4));
});
