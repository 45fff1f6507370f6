// What a primary is doing and which caller waits for it; no process is started.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PrimaryLifecycle } from '../../src/supervisor/primary-lifecycle.ts';

let told: string[] = [];
const listen = (message: unknown): void => void told.push((message as { readonly to: string }).to);
beforeEach(() => {
  told = [];
  subscribe('wellknown:server', listen);
});
afterEach(() => {
  unsubscribe('wellknown:server', listen);
});

const DRAIN_MS = 30_000;
const AT = ['new', 'binding', 'starting', 'serving', 'reloading', 'upgrading', 'stopping', 'ended'] as const;
type At = (typeof AT)[number];

/** A lifecycle that has come to a state, and what the caller who waits there is told. */
function lifecycleAt(at: At): { readonly lifecycle: PrimaryLifecycle; readonly waits: Promise<string> } {
  const lifecycle = new PrimaryLifecycle(DRAIN_MS);
  let waiting: Promise<void> = Promise.resolve();
  const steps: readonly (readonly [At, () => void])[] = [
    ['binding', () => lifecycle.bind()],
    ['starting', () => (waiting = lifecycle.start())],
    ['serving', () => lifecycle.serve()],
    ['reloading', () => (waiting = lifecycle.reload())],
    [
      'upgrading',
      () => {
        lifecycle.reloaded();
        lifecycle.upgrade();
      },
    ],
    ['stopping', () => void lifecycle.stop(1_000)],
    ['ended', () => lifecycle.end()],
  ];
  for (const [reached, step] of steps.slice(0, AT.indexOf(at))) {
    step();
    expect(lifecycle.at).toBe(reached);
  }
  return {
    lifecycle,
    waits: waiting.then(
      () => 'resolved',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    ),
  };
}

describe('one change at a time', () => {
  test.each(AT.filter((at) => at !== 'serving'))('a primary that is %s takes no reload and no upgrade', (at) => {
    const { lifecycle } = lifecycleAt(at);
    for (const change of [() => lifecycle.reload(), () => lifecycle.upgrade()])
      expect(change).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
    expect(lifecycle.at).toBe(at);
  });

  test.each(AT.filter((at) => at !== 'new'))('a primary that is %s is not bound again', (at) => {
    const { lifecycle } = lifecycleAt(at);
    expect(() => lifecycle.bind()).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
    expect(lifecycle.at).toBe(at);
  });

  test.each(['new', 'binding', 'ended'] as const)('a primary that is %s has no workers to add to', (at) => {
    const { lifecycle } = lifecycleAt(at);
    expect(() => lifecycle.requireStarted()).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
  });

  test.each(['starting', 'serving', 'reloading', 'upgrading', 'stopping'] as const)(
    'a primary that is %s may be scaled',
    (at) => {
      const { lifecycle } = lifecycleAt(at);
      expect(() => lifecycle.requireStarted()).not.toThrow();
    },
  );

  test('a reload ends once, well or not, and the next one may begin', async () => {
    const { lifecycle } = lifecycleAt('serving');
    const first = lifecycle.reload();
    lifecycle.reloaded(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    const second = lifecycle.reload();
    lifecycle.reloaded();
    lifecycle.reloaded(new Error('too late'));
    await second;
    expect(lifecycle.at).toBe('serving');
  });

  test('an upgrade that fails leaves it serving', () => {
    const { lifecycle } = lifecycleAt('upgrading');
    lifecycle.upgradeFailed();
    expect(lifecycle.at).toBe('serving');
  });

  test('an upgrade that fails after a stop changes nothing', () => {
    const { lifecycle } = lifecycleAt('upgrading');
    lifecycle.stop(0);
    lifecycle.upgradeFailed();
    expect(lifecycle.at).toBe('stopping');
  });
});

describe('stopping', () => {
  test.each([
    ['starting', 'the server was closed before it was ready'],
    ['reloading', 'the server was closed before it was ready'],
  ] as const)('the caller who waits for %s is told at the end', async (at, words) => {
    const { lifecycle, waits } = lifecycleAt(at);
    expect(lifecycle.stop(5)).toBe('stop');
    lifecycle.end();
    expect(await waits).toBe(words);
    await lifecycle.ended;
  });

  test('a new one ends at once, and is not bound any more', async () => {
    const { lifecycle } = lifecycleAt('new');
    expect(lifecycle.stop(5)).toBe('nothing');
    await lifecycle.ended;
    expect(() => lifecycle.bind()).toThrow('the server was closed before it was ready');
  });

  test('one that binds goes no further than that', () => {
    const { lifecycle } = lifecycleAt('binding');
    expect([lifecycle.stop(5), lifecycle.stop(5)]).toEqual(['nothing', 'nothing']);
    expect(() => lifecycle.start()).toThrow('the server was closed before it was ready');
    lifecycle.end();
    expect(told).toEqual(['starting', 'draining', 'ended']);
  });

  test('of several graces the shortest holds, and workers are told of one that is shorter alone', () => {
    const { lifecycle } = lifecycleAt('serving');
    expect(lifecycle.graceMs).toBe(DRAIN_MS);
    expect(lifecycle.stop(1_000)).toBe('stop');
    expect([lifecycle.stop(2_000), lifecycle.graceMs]).toEqual(['nothing', 1_000]);
    expect([lifecycle.stop(1_000), lifecycle.graceMs]).toEqual(['nothing', 1_000]);
    expect([lifecycle.stop(999), lifecycle.graceMs]).toEqual(['shorten-grace', 999]);
  });

  test('what was handed over stays so, whatever is asked later', () => {
    const { lifecycle } = lifecycleAt('upgrading');
    expect(lifecycle.hasHandedOver).toBe(false);
    lifecycle.stop(1_000, true);
    lifecycle.stop(0);
    expect(lifecycle.hasHandedOver).toBe(true);
  });
});

describe('giving up', () => {
  test('tells the caller of listen and who looks at the end why, once', async () => {
    const { lifecycle, waits } = lifecycleAt('starting');
    expect([lifecycle.giveUp(), lifecycle.giveUp()]).toEqual([true, false]);
    lifecycle.end(new Error('gave up'));
    expect(await waits).toBe('gave up');
    await expect(lifecycle.ended).rejects.toThrow('gave up');
    expect(told).toEqual(['starting', 'ended']);
  });

  test.each(AT.filter((at) => at !== 'starting'))('does not happen to a primary that is %s', (at) => {
    expect(lifecycleAt(at).lifecycle.giveUp()).toBe(false);
  });
});

test('subscribers are told of each state as it begins', async () => {
  const { lifecycle } = lifecycleAt('starting');
  lifecycle.complete();
  lifecycle.serve();
  const reload = lifecycle.reload();
  lifecycle.reloaded();
  await reload;
  lifecycle.upgrade();
  lifecycle.upgradeFailed();
  lifecycle.stop(0);
  lifecycle.end();
  expect(told).toEqual([
    'starting',
    'listening',
    'reloading',
    'listening',
    'upgrading',
    'listening',
    'draining',
    'ended',
  ]);
});

test('listen resolves once all workers are ready', async () => {
  const { lifecycle, waits } = lifecycleAt('starting');
  lifecycle.complete();
  expect(await waits).toBe('resolved');
});
