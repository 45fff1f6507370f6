// What a server without workers is doing; nothing is bound.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StandaloneLifecycle } from '../../src/supervisor/standalone-lifecycle.ts';

let told: string[] = [];
const listen = (message: unknown): void => void told.push((message as { readonly to: string }).to);
beforeEach(() => {
  told = [];
  subscribe('wellknown:server', listen);
});
afterEach(() => {
  unsubscribe('wellknown:server', listen);
});

const STEPS = {
  new: [],
  opening: ['open'],
  open: ['open', 'opened'],
  closing: ['open', 'close'],
  draining: ['open', 'opened', 'close'],
  ended: ['open', 'opened', 'close', 'end'],
} as const satisfies Record<string, readonly (keyof StandaloneLifecycle)[]>;
type At = keyof typeof STEPS;
const AT = Object.keys(STEPS) as At[];

function lifecycleAt(at: At): StandaloneLifecycle {
  const lifecycle = new StandaloneLifecycle();
  for (const step of STEPS[at]) lifecycle[step]();
  expect(lifecycle.at).toBe(at);
  return lifecycle;
}

const allBut = (...others: At[]): At[] => AT.filter((at) => !others.includes(at));

describe('opening', () => {
  test.each(allBut('new'))('one that is %s is not opened again', (at) => {
    expect(() => lifecycleAt(at).open()).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
  });

  test.each(allBut('opening'))('one that is %s binds nothing more', (at) => {
    const lifecycle = lifecycleAt(at);
    for (const step of [() => lifecycle.requireOpening(), () => lifecycle.opened()])
      expect(step).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
    expect(lifecycle.at).toBe(at);
  });

  test.each(['opening', 'closing'] as const)('one that fails while it is %s gives back what it has bound', (at) => {
    const lifecycle = lifecycleAt(at);
    lifecycle.openingFailed();
    expect(lifecycle.at).toBe('draining');
  });

  test.each(allBut('opening', 'closing'))('one that is %s has no opening that could fail', (at) => {
    expect(() => lifecycleAt(at).openingFailed()).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
  });
});

describe('closing', () => {
  test.each([
    ['new', 'drain', 'draining'],
    ['opening', 'nothing', 'closing'],
    ['open', 'drain', 'draining'],
    ['closing', 'nothing', 'closing'],
    ['draining', 'shorten-grace', 'draining'],
    ['ended', 'nothing', 'ended'],
  ] as const)('of one that is %s asks to %s, and it is %s', (at, verdict, then) => {
    const lifecycle = lifecycleAt(at);
    expect(lifecycle.close()).toBe(verdict);
    expect(lifecycle.at).toBe(then);
  });

  test('ends as draining ends', async () => {
    const well = lifecycleAt('draining');
    well.end();
    await well.ended;
    const badly = lifecycleAt('draining');
    badly.end({ error: new Error('no room') });
    await expect(badly.ended).rejects.toThrow('no room');
  });
});

describe('what others see', () => {
  test.each([
    ['new', 'starting'],
    ['opening', 'starting'],
    ['open', 'listening'],
    ['closing', 'draining'],
    ['draining', 'draining'],
    ['ended', 'ended'],
  ] as const)('one that is %s is %s', (at, state) => {
    expect(lifecycleAt(at).state).toBe(state);
  });

  test('each state is told once', () => {
    lifecycleAt('ended');
    expect(told).toEqual(['starting', 'listening', 'draining', 'ended']);
  });

  test('of one that is closed while it opens, draining is told once', () => {
    const lifecycle = lifecycleAt('closing');
    lifecycle.openingFailed();
    lifecycle.end();
    expect(told).toEqual(['starting', 'draining', 'ended']);
  });
});
