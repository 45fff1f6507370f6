import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, initialArbiterState, tick, type ArbiterAction, type ArbiterEvent, type ArbiterState } from '../src/arbiter.ts';

/** Steps through a story: at each time, events in, actions out. */
function play(target: number, story: readonly (readonly [number, ...ArbiterEvent[]])[]): { state: ArbiterState; actions: ArbiterAction[][] } {
  let state = initialArbiterState(target);
  const actions: ArbiterAction[][] = [];
  for (const [nowMs, ...events] of story) {
    const step = tick(state, nowMs, events);
    state = step.state;
    actions.push([...step.actions]);
  }
  return { state, actions };
}

const ready = (life: number): ArbiterEvent => ({ type: 'ready', life });
const exited = (life: number): ArbiterEvent => ({ type: 'exited', life });
const starts = (actions: readonly ArbiterAction[] | undefined): number => actions?.filter((action) => action.do === 'start').length ?? 0;

describe('the arbiter', () => {
  test('starts as many workers as wanted, once', () => {
    const { actions } = play(2, [[0], [1]]);
    expect(actions).toEqual([[{ do: 'start', slot: 1, life: 1 }, { do: 'start', slot: 2, life: 2 }], []]);
  });

  test('replaces a worker that died after a stable stretch at once, in the same slot', () => {
    const { actions } = play(2, [[0], [100, ready(1), ready(2)], [60_000, exited(1)]]);
    expect(actions[2]).toEqual([{ do: 'start', slot: 1, life: 3 }]);
  });

  test('waits longer after each early death, up to the limit, and starts over after a stable stretch', () => {
    const delays: number[] = [];
    let nowMs = 0;
    let state = tick(initialArbiterState(1), nowMs, []).state;
    for (let round = 0; round < 20; round += 1) {
      const { life } = state.workers[0] ?? { life: 0 };
      state = tick(state, (nowMs += 10), [ready(life)]).state;
      state = tick(state, (nowMs += 10), [exited(life)]).state;
      delays.push(state.mayStartAtMs - nowMs);
      expect(starts(tick(state, state.mayStartAtMs - 1, []).actions)).toBe(0);
      nowMs = state.mayStartAtMs;
      state = tick(state, nowMs, []).state;
    }
    expect(delays.slice(0, 3)).toEqual([100, 150, 225]);
    expect(delays.at(-1)).toBe(DEFAULT_POLICY.maxBackOffMs);
    const { life } = state.workers[0] ?? { life: 0 };
    state = tick(state, nowMs, [ready(life)]).state;
    expect(tick(state, nowMs + DEFAULT_POLICY.stableMs, [exited(life)]).state.failures).toBe(0);
  });

  test('gives up once when no worker was ever ready, and starts no more', () => {
    let nowMs = 0;
    let state = initialArbiterState(1);
    const seen: ArbiterAction[] = [];
    for (let round = 0; round < 10; round += 1) {
      nowMs = Math.max(nowMs + 1, state.mayStartAtMs);
      const begun = tick(state, nowMs, []);
      const dead = tick(begun.state, nowMs + 1, begun.state.workers.map((worker) => exited(worker.life)));
      seen.push(...begun.actions, ...dead.actions);
      state = dead.state;
    }
    expect(seen.filter((action) => action.do === 'give-up')).toEqual([{ do: 'give-up', failures: DEFAULT_POLICY.maxStartFailures }]);
    expect(starts(seen)).toBe(DEFAULT_POLICY.maxStartFailures);
  });

  test('never gives up once a worker was ready', () => {
    let state = tick(tick(initialArbiterState(1), 0, []).state, 1, [ready(1)]).state;
    let nowMs = 2;
    for (let round = 0; round < 20; round += 1) {
      const { life } = state.workers[0] ?? { life: 0 };
      const step = tick(state, nowMs, [exited(life)]);
      expect(step.actions.some((action) => action.do === 'give-up')).toBe(false);
      nowMs = step.state.mayStartAtMs;
      state = tick(step.state, nowMs, []).state;
    }
    expect(state.workers).toHaveLength(1);
  });

  test('kills a worker that does not become ready in time', () => {
    const { actions } = play(1, [[0], [DEFAULT_POLICY.startTimeoutMs - 1], [DEFAULT_POLICY.startTimeoutMs]]);
    expect(actions.slice(1)).toEqual([[], [{ do: 'kill', life: 1, why: 'start-timeout' }]]);
  });

  test('stopping drains everybody, starts nobody, kills who stays, and says when it is over', () => {
    const late = 1_000 + DEFAULT_POLICY.drainTimeoutMs + 2_000;
    const { actions } = play(2, [[0], [1, ready(1), ready(2)], [1_000, { type: 'stop' }], [2_000, exited(1)], [late], [late + 1, exited(2)]]);
    expect(actions.slice(2)).toEqual([
      [{ do: 'drain', life: 1 }, { do: 'drain', life: 2 }],
      [],
      [{ do: 'kill', life: 2, why: 'drain-timeout' }],
      [{ do: 'stopped' }],
    ]);
  });

  test('scaling up starts, scaling down drains the highest slot and never goes below one', () => {
    const { state, actions } = play(2, [[0], [1, ready(1), ready(2)], [2, { type: 'scale', by: 1 }], [3, ready(3)], [4, { type: 'scale', by: -2 }], [5, exited(2), exited(3)], [6, { type: 'scale', by: -5 }]]);
    expect(actions[2]).toEqual([{ do: 'start', slot: 3, life: 3 }]);
    expect(actions[4]).toEqual([{ do: 'drain', life: 2 }, { do: 'drain', life: 3 }]);
    expect([state.target, state.workers.length]).toEqual([1, 1]);
  });

  test('whatever happens, no more workers live than wanted, and no slot has two', () => {
    const event = fc.oneof(
      fc.record({ type: fc.constant('ready' as const), life: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ type: fc.constant('exited' as const), life: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ type: fc.constant('scale' as const), by: fc.integer({ min: -2, max: 2 }) }),
    );
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), event), { maxLength: 60 }), (story) => {
      let nowMs = 0;
      let state = initialArbiterState(2);
      for (const [laterMs, one] of story) {
        state = tick(state, (nowMs += laterMs), [one]).state;
        const alive = state.workers.filter((worker) => worker.at !== 'draining').map((worker) => worker.slot);
        expect(new Set(alive).size).toBe(alive.length);
        expect(alive.length).toBeLessThanOrEqual(state.target);
        expect(tick(state, nowMs, []).actions.filter((action) => action.do !== 'kill')).toEqual([]);
      }
    }));
  });
});
