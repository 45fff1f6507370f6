import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tick } from '../../src/supervisor/arbiter.ts';
import {
  DEFAULT_POLICY,
  initialArbiterState,
  type ArbiterAction,
  type ArbiterEvent,
  type ArbiterState,
} from '../../src/supervisor/arbiter-state.ts';
import { nextStartAtMs } from '../../src/supervisor/back-off.ts';

/** Steps through a story: at each time, events in, actions out. */
function play(
  target: number,
  story: readonly (readonly [number, ...ArbiterEvent[]])[],
): { state: ArbiterState; actions: ArbiterAction[][] } {
  let state = initialArbiterState(target);
  const actions: ArbiterAction[][] = [];
  for (const [nowMs, ...events] of story) {
    const step = tick(state, nowMs, events);
    state = step.state;
    actions.push([...step.actions]);
  }
  return { state, actions };
}

const ready = (workerId: number): ArbiterEvent => ({ type: 'ready', workerId });
const loop = (busy: number) => ({ busy, delayMs: { mean: 0, max: 0 } });
const beat = (workerId: number, served = 0, busy = 0): ArbiterEvent => ({
  type: 'beat',
  workerId,
  served,
  eventLoop: loop(busy),
});
const exited = (workerId: number): ArbiterEvent => ({ type: 'exited', workerId });
const leaving = (workerId: number): ArbiterEvent => ({ type: 'leaving', workerId });
const starts = (actions: readonly ArbiterAction[] | undefined): number =>
  actions?.filter((action) => action.do === 'start').length ?? 0;
/** When the next slot may start a worker; now, if none waits. */
const startsAgainAt = (state: ArbiterState, nowMs: number): number => nextStartAtMs(state.backOffs, nowMs) ?? nowMs;

describe('the arbiter', () => {
  test('starts as many workers as wanted, once', () => {
    const { actions } = play(2, [[0], [1]]);
    expect(actions).toEqual([
      [
        { do: 'start', slot: 1, workerId: 1, generation: 1 },
        { do: 'start', slot: 2, workerId: 2, generation: 1 },
      ],
      [],
    ]);
  });

  test('replaces a worker that died after a stable stretch at once, in the same slot', () => {
    const { actions } = play(2, [[0], [100, ready(1), ready(2)], [60_000, beat(1), beat(2), exited(1)]]);
    expect(actions[2]).toEqual([{ do: 'start', slot: 1, workerId: 3, generation: 1 }]);
  });

  test('drains workers that keep connections without a deadline, until a stop or a reload that keeps none', () => {
    const reload = (keeps: boolean): ArbiterEvent => ({ type: 'reload', keeps });
    const late = 10 * DEFAULT_POLICY.drainTimeoutMs;
    const kept = [[0], [1, ready(1)], [2, reload(true)], [3, ready(2)]] as const;
    const alive = [late, beat(1), beat(2)] as const;
    expect(play(1, kept).state.workers).toMatchObject([{ at: 'draining', isKept: true }, { at: 'ready' }]);
    expect(play(1, [...kept, [late - 1, beat(1), beat(2)], alive]).actions.slice(3)).toEqual([
      [
        { do: 'drain', workerId: 1 },
        { do: 'reloaded', generation: 2 },
      ],
      [],
      [],
    ]);

    const stopped = play(1, [...kept, [late, beat(1), beat(2), { type: 'stop' }]]);
    expect(stopped.actions.at(-1)).toEqual([
      { do: 'drain', workerId: 2 },
      { do: 'drain', workerId: 1 },
    ]);
    expect(stopped.state.workers.some(({ isKept }) => isKept === true)).toBe(false);

    const again = play(1, [...kept, [late, beat(1), beat(2), reload(false)], [late + 1, ready(3)]]);
    expect(again.actions.at(-1)).toEqual([
      { do: 'drain', workerId: 2 },
      { do: 'reloaded', generation: 3 },
      { do: 'drain', workerId: 1 },
    ]);
  });

  test('ends a worker that keeps connections and says nothing any more', () => {
    const story = play(1, [
      [0],
      [1, ready(1)],
      [2, { type: 'reload', keeps: true }],
      [3, ready(2)],
      [DEFAULT_POLICY.heartbeatTimeoutMs + 3, beat(2)],
    ]);
    expect(story.actions.at(-1)).toEqual([{ do: 'kill', workerId: 1, why: 'stalled' }]);
  });

  test('replaces a worker that drains by itself while it still runs, and its end later changes nothing', () => {
    const { state, actions } = play(2, [
      [0],
      [100, ready(1), ready(2)],
      [60_000, beat(1), beat(2), leaving(1)],
      [61_000, ready(3), beat(2)],
      [62_000, exited(1), leaving(1)],
    ]);
    expect(actions.slice(2)).toEqual([[{ do: 'start', slot: 1, workerId: 3, generation: 1 }], [], []]);
    expect(state.workers.map(({ workerId, at }) => [workerId, at])).toEqual([
      [2, 'ready'],
      [3, 'ready'],
    ]);
  });

  test('waits before it replaces one that drains as soon as it has become ready, as after an early death', () => {
    const { actions } = play(1, [[0], [100, ready(1)], [110, leaving(1)], [209], [210]]);
    expect(actions.map(starts)).toEqual([1, 0, 0, 0, 1]);
  });

  test('kills a worker that drains by itself and does not end', () => {
    const { actions } = play(1, [
      [0],
      [100, ready(1)],
      [40_000, beat(1), leaving(1)],
      [40_100, ready(2)],
      [71_999, beat(1), beat(2)],
      [72_000, beat(1), beat(2)],
    ]);
    expect(actions.slice(4)).toEqual([[], [{ do: 'kill', workerId: 1, why: 'drain-timeout' }]]);
  });

  test('is not told twice: what drains by order, and what is still starting, may say that it leaves', () => {
    const starting = play(1, [[0], [10, leaving(1)]]);
    expect(starting.state.workers.map(({ at }) => at)).toEqual(['starting']);
    const stopping = play(1, [[0], [10, ready(1)], [20, { type: 'stop' }], [30, leaving(1)]]);
    expect(stopping.actions.slice(2)).toEqual([[{ do: 'drain', workerId: 1 }], []]);
    expect(stopping.state.backOffs).toEqual([]);
  });

  test('waits longer after each worker that never became ready, up to the limit, and starts over after a stable stretch', () => {
    const delays: number[] = [];
    let nowMs = 0;
    let state = tick(tick(initialArbiterState(1), nowMs, []).state, nowMs, [ready(1)]).state;
    state = tick(state, (nowMs += DEFAULT_POLICY.stableMs), [exited(1)]).state;
    for (let round = 0; round < 20; round += 1) {
      const { workerId } = state.workers[0] ?? { workerId: 0 };
      state = tick(state, (nowMs += 10), [exited(workerId)]).state;
      const nextMs = startsAgainAt(state, nowMs);
      delays.push(nextMs - nowMs);
      expect(starts(tick(state, nextMs - 1, []).actions)).toBe(0);
      nowMs = nextMs;
      state = tick(state, nowMs, []).state;
    }
    expect(delays.slice(0, 3)).toEqual([100, 150, 225]);
    expect(delays.at(-1)).toBe(DEFAULT_POLICY.maxBackOffMs);
    const { workerId } = state.workers[0] ?? { workerId: 0 };
    state = tick(state, nowMs, [ready(workerId)]).state;
    expect(tick(state, nowMs + DEFAULT_POLICY.stableMs, [exited(workerId)]).state.backOffs).toEqual([]);
  });

  test('follows a worker that served for a second at once, and one that served for less after a wait of a second at most', () => {
    const waits = (readyForMs: number): number[] => {
      let nowMs = 0;
      let state = tick(tick(initialArbiterState(2), nowMs, []).state, nowMs, [ready(2)]).state;
      const delays: number[] = [];
      for (let round = 0; round < 12; round += 1) {
        const { workerId } = state.workers.find(({ slot }) => slot === 1) ?? { workerId: 0 };
        state = tick(state, (nowMs += 300), [ready(workerId), beat(2)]).state;
        const dead = tick(state, (nowMs += readyForMs), [exited(workerId), beat(2)]);
        const nextMs = starts(dead.actions) === 1 ? nowMs : startsAgainAt(dead.state, nowMs);
        delays.push(nextMs - nowMs);
        state = tick(dead.state, (nowMs = nextMs), []).state;
      }
      return delays;
    };
    expect(new Set(waits(1_000))).toEqual(new Set([0]));
    expect(waits(999).slice(0, 3)).toEqual([100, 150, 225]);
    expect(waits(999).at(-1)).toBe(1_000);
  });

  test('delays no slot because of another', () => {
    let state = tick(tick(initialArbiterState(2), 0, []).state, 0, [ready(2)]).state;
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) {
      const broken = state.workers.filter(({ at }) => at === 'starting').map(({ workerId }) => exited(workerId));
      state = tick(state, nowMs, [...broken, beat(2)]).state;
    }
    const { actions } = tick(state, 20_000, [exited(2)]);
    expect(actions).toContainEqual(expect.objectContaining({ do: 'start', slot: 2 }));
  });

  test('with one request in two seconds that ends its worker, always has one that serves, and soon two again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ afterMs: fc.integer({ min: 2_000, max: 3_000 }), victim: fc.nat({ max: 1 }) }), {
          minLength: 15,
          maxLength: 30,
        }),
        (requests) => {
          const startMs = 500;
          let nowMs = 0;
          let state = tick(tick(initialArbiterState(2), 0, []).state, 0, [ready(1), ready(2)]).state;
          for (const { afterMs, victim } of requests) {
            const dead = state.workers[victim]?.workerId ?? 0;
            const killed = tick(state, (nowMs += afterMs), [exited(dead)]);
            expect(starts(killed.actions)).toBe(1);
            expect(killed.state.workers.filter(({ at }) => at === 'ready')).toHaveLength(1);
            state = tick(killed.state, nowMs + startMs, [
              ready(killed.state.started),
              ...killed.state.workers.map(({ workerId }) => beat(workerId)),
            ]).state;
          }
        },
      ),
    );
  });

  test('starts again soon when the last worker that served is gone, however often that was', () => {
    let nowMs = 0;
    let state = tick(initialArbiterState(2), nowMs, []).state;
    for (let round = 0; round < 20; round += 1) {
      const events = state.workers.map(({ workerId }) => ready(workerId));
      state = tick(state, (nowMs += 10), events).state;
      const ends = state.workers.map(({ workerId }) => exited(workerId));
      state = tick(state, (nowMs += 10), ends).state;
      expect(startsAgainAt(state, nowMs) - nowMs).toBeLessThanOrEqual(DEFAULT_POLICY.firstBackOffMs);
      state = tick(state, (nowMs = startsAgainAt(state, nowMs)), []).state;
    }
  });

  test('gives up once when no worker was ever ready, and starts no more', () => {
    let nowMs = 0;
    let state = initialArbiterState(1);
    const seen: ArbiterAction[] = [];
    for (let round = 0; round < 10; round += 1) {
      nowMs = startsAgainAt(state, nowMs + 1);
      const begun = tick(state, nowMs, []);
      const dead = tick(
        begun.state,
        nowMs + 1,
        begun.state.workers.map((worker) => exited(worker.workerId)),
      );
      seen.push(...begun.actions, ...dead.actions);
      state = dead.state;
    }
    expect(seen.filter((action) => action.do === 'give-up')).toEqual([
      { do: 'give-up', failures: DEFAULT_POLICY.maxStartFailures },
    ]);
    expect(starts(seen)).toBe(DEFAULT_POLICY.maxStartFailures);
  });

  test('gives up at once when a worker finds that the command line is wrong, and not once one was ready', () => {
    const refused: ArbiterEvent = { type: 'refused', workerId: 2 };
    const { actions } = play(2, [[0], [1, refused], [2, exited(1), exited(2)], [60_000]]);
    expect(actions.map((step) => step.map((action) => action.do))).toEqual([
      ['start', 'start'],
      ['give-up'],
      ['give-up'],
      [],
    ]);
    const later = play(2, [[0], [1, ready(1)], [2, refused], [3, exited(2)], [60_000, beat(1)]]);
    expect(later.actions.flat().filter((action) => action.do === 'give-up')).toEqual([]);
    expect(starts(later.actions[4])).toBe(1);
  });

  test('never gives up once a worker was ready', () => {
    let state = tick(tick(initialArbiterState(1), 0, []).state, 1, [ready(1)]).state;
    let nowMs = 2;
    for (let round = 0; round < 20; round += 1) {
      const { workerId } = state.workers[0] ?? { workerId: 0 };
      const step = tick(state, nowMs, [exited(workerId)]);
      expect(step.actions.some((action) => action.do === 'give-up')).toBe(false);
      nowMs = startsAgainAt(step.state, nowMs);
      state = tick(step.state, nowMs, []).state;
    }
    expect(state.workers).toHaveLength(1);
  });

  test('kills a worker that does not become ready in time', () => {
    const { actions } = play(1, [[0], [DEFAULT_POLICY.startTimeoutMs - 1], [DEFAULT_POLICY.startTimeoutMs]]);
    expect(actions.slice(1)).toEqual([[], [{ do: 'kill', workerId: 1, why: 'start-timeout' }]]);
  });

  test('stopping drains every worker, starts none, kills those that stay, and says when it is over', () => {
    const late = 1_000 + DEFAULT_POLICY.drainTimeoutMs + 2_000;
    const { actions } = play(2, [
      [0],
      [1, ready(1), ready(2)],
      [1_000, { type: 'stop' }],
      [2_000, exited(1)],
      [late, beat(2)],
      [late + 1, exited(2)],
    ]);
    expect(actions.slice(2)).toEqual([
      [
        { do: 'drain', workerId: 1 },
        { do: 'drain', workerId: 2 },
      ],
      [],
      [{ do: 'kill', workerId: 2, why: 'drain-timeout' }],
      [{ do: 'stopped' }],
    ]);
  });

  test('scaling up starts, scaling down drains the highest slot and never goes below one', () => {
    const { state, actions } = play(2, [
      [0],
      [1, ready(1), ready(2)],
      [2, { type: 'scale', by: 1 }],
      [3, ready(3)],
      [4, { type: 'scale', by: -2 }],
      [5, exited(2), exited(3)],
      [6, { type: 'scale', by: -5 }],
    ]);
    expect(actions[2]).toEqual([{ do: 'start', slot: 3, workerId: 3, generation: 1 }]);
    expect(actions[4]).toEqual([
      { do: 'drain', workerId: 2 },
      { do: 'drain', workerId: 3 },
    ]);
    expect([state.target, state.workers.length]).toEqual([1, 1]);
  });

  test('fifty more workers are started two at a time while others serve, each as one before it has become ready or has ended', () => {
    let { state } = play(2, [[0], [1, ready(1), ready(2)]]);
    let step = tick(
      state,
      2,
      Array.from({ length: 50 }, (): ArbiterEvent => ({ type: 'scale', by: 1 })),
    );
    const starting = (): number => step.state.workers.filter(({ at }) => at === 'starting').length;
    for (let nowMs = 3; step.state.workers.length < 52; nowMs += 1) {
      expect(starting()).toBe(2);
      ({ state } = step);
      const next = state.workers.find(({ at }) => at === 'starting')?.workerId ?? 0;
      step = tick(state, nowMs, [nowMs === 5 ? exited(next) : ready(next)]);
      if (nowMs === 5) step = tick(step.state, (nowMs += DEFAULT_POLICY.firstBackOffMs), []);
    }
    expect(new Set(step.state.workers.map(({ slot }) => slot)).size).toBe(52);
  });

  test('a pool of which no worker serves is started at once', () => {
    const { actions } = play(8, [[0]]);
    expect(actions.map(starts)).toEqual([8]);
    const all = Array.from({ length: 8 }, (_, index) => index + 1);
    const { actions: again } = play(8, [[0], [1, ...all.map(ready)], [5_000, ...all.map(exited)]]);
    expect(again.map(starts)).toEqual([8, 0, 8]);
  });

  test('a worker above the target goes on serving until every wanted slot has one that is ready; one that is starting is not waited for', () => {
    const { actions } = play(3, [
      [0],
      [1, ready(1), ready(2)],
      [2, exited(1)],
      [3, { type: 'scale', by: -2 }],
      [200],
      [300, ready(4)],
    ]);
    expect(actions.slice(3)).toEqual([
      [{ do: 'drain', workerId: 3 }],
      [{ do: 'start', slot: 1, workerId: 4, generation: 1 }],
      [{ do: 'drain', workerId: 2 }],
    ]);
  });

  test('a worker that says nothing is killed after the heartbeat limit, one that beats is not', () => {
    const limit = DEFAULT_POLICY.heartbeatTimeoutMs;
    const { actions } = play(2, [[0], [0, ready(1), ready(2)], [limit - 1, beat(1)], [limit]]);
    expect(actions.slice(2)).toEqual([[], [{ do: 'kill', workerId: 2, why: 'stalled' }]]);
  });

  describe('a primary that was away', () => {
    /** A tick for each time, with its events: what it does. */
    function seconds(before: ArbiterState, times: readonly (readonly [number, ...ArbiterEvent[]])[]): ArbiterAction[] {
      let state = before;
      const actions: ArbiterAction[] = [];
      for (const [nowMs, ...events] of times) {
        const step = tick(state, nowMs, events, DEFAULT_POLICY, () => 0, true);
        ({ state } = step);
        actions.push(...step.actions);
      }
      return actions;
    }
    const serving = (): ArbiterState =>
      tick(tick(initialArbiterState(2), 0, []).state, 0, [ready(1), ready(2)], DEFAULT_POLICY, () => 0, true).state;
    const hour = 3_600_000;

    test('kills no worker for what it could not hear, and still kills one that goes on saying nothing', () => {
      const limit = DEFAULT_POLICY.heartbeatTimeoutMs;
      const back = [500, beat(1), beat(2)] as const;
      const after = (ms: number): [number] => [hour + ms];
      const everySecond = Array.from({ length: limit / 1_000 - 2 }, (_, index) => after((index + 1) * 1_000));
      const beating = everySecond.map(([nowMs]): [number, ArbiterEvent] => [nowMs, beat(1)]);
      expect(seconds(serving(), [back, after(0), ...beating])).toEqual([]);
      expect(seconds(serving(), [back, after(0), ...beating, [hour + limit - 1_000, beat(1)]])).toEqual([
        { do: 'kill', workerId: 2, why: 'stalled' },
      ]);
    });

    test('hears of a message first, and kills no worker for that one either', () => {
      expect(tick(serving(), hour, [beat(1)]).actions).toEqual([]);
    });

    test('gives those that start and those that drain the time that they had left', () => {
      const starting = tick(initialArbiterState(1), 0, [], DEFAULT_POLICY, () => 0, true).state;
      expect(seconds(starting, [[hour], [hour + 1_000]])).toEqual([]);
      const draining = tick(serving(), 1, [{ type: 'stop' }]).state;
      expect(seconds(draining, [[hour], [hour + 1_000]])).toEqual([]);
    });

    test('is not taken for away when a tick comes less than half a second late', () => {
      const late = [{ do: 'kill', workerId: 1, why: 'stalled' }];
      const policy = { ...DEFAULT_POLICY, heartbeatTimeoutMs: 1_499 };
      const one = tick(tick(initialArbiterState(1), 0, []).state, 0, [ready(1)], policy, () => 0, true).state;
      expect(tick(one, 1_499, [], policy, () => 0, true).actions).toEqual(late);
      expect(tick(one, 1_500, [], policy, () => 0, true).actions).toEqual([]);
    });
  });

  describe('reload', () => {
    const reload: ArbiterEvent = { type: 'reload' };

    test('replaces one worker at a time, each successor ready before its predecessor drains', () => {
      const { state, actions } = play(2, [
        [0],
        [1, ready(1), ready(2)],
        [2, reload],
        [3, ready(3)],
        [4, ready(4)],
        [5, exited(1), exited(2)],
      ]);
      expect(actions.slice(2)).toEqual([
        [{ do: 'start', slot: 1, workerId: 3, generation: 2 }],
        [
          { do: 'drain', workerId: 1 },
          { do: 'start', slot: 2, workerId: 4, generation: 2 },
        ],
        [
          { do: 'drain', workerId: 2 },
          { do: 'reloaded', generation: 2 },
        ],
        [],
      ]);
      expect(state.workers.map((worker) => [worker.slot, worker.generation, worker.at])).toEqual([
        [1, 2, 'ready'],
        [2, 2, 'ready'],
      ]);
    });

    test('that fails leaves the old generation serving, and later deaths are replaced by it', () => {
      const { state, actions } = play(2, [
        [0],
        [1, ready(1), ready(2)],
        [2, reload],
        [3, exited(3)],
        [40_000, beat(1), beat(2), exited(1)],
      ]);
      expect(actions[3]).toEqual([{ do: 'reload-failed', generation: 2 }]);
      expect(actions[4]).toEqual([{ do: 'start', slot: 1, workerId: 4, generation: 1 }]);
      expect(state.workers.map((worker) => worker.generation)).toEqual([1, 1]);
    });

    test('that fails takes with it what else it has started, and the next one has a number of its own', () => {
      const { state, actions } = play(2, [
        [0],
        [2_000, ready(1), ready(2)],
        [7_000, reload],
        // The worker of the other slot crashes meanwhile: its slot too gets one of the new generation.
        [7_010, exited(2)],
        [7_020, exited(3)],
        [7_030, ready(4), exited(4)],
        [7_040, reload],
        [8_000, ready(5)],
        [9_000, ready(6)],
      ]);
      expect(actions.slice(3)).toEqual([
        [{ do: 'start', slot: 2, workerId: 4, generation: 2 }],
        [
          { do: 'reload-failed', generation: 2 },
          { do: 'drain', workerId: 4 },
          { do: 'start', slot: 2, workerId: 5, generation: 1 },
        ],
        [],
        [],
        [{ do: 'start', slot: 1, workerId: 6, generation: 3 }],
        [
          { do: 'drain', workerId: 1 },
          { do: 'start', slot: 2, workerId: 7, generation: 3 },
        ],
      ]);
      expect(state.workers.map((worker) => [worker.slot, worker.generation])).toEqual([
        [1, 1],
        [2, 1],
        [1, 3],
        [2, 3],
      ]);
    });

    describe('whose first new worker was ready', () => {
      const begun = [[0], [2_000, ready(1), ready(2)], [7_000, reload], [7_100, ready(3)]] as const;
      /** Workers of the second slot that end at once; after each its back-off passes. */
      const tries = (count: number) =>
        Array.from({ length: count }, (_, index) => index).flatMap((index) => [
          [8_000 + index * 1_000, beat(2), beat(3), exited(4 + index)] as const,
          [8_900 + index * 1_000, beat(2), beat(3)] as const,
        ]);
      const { maxStartFailures } = DEFAULT_POLICY;

      test('goes on while fewer than maxStartFailures of the others end early', () => {
        const { state, actions } = play(2, [...begun, ...tries(maxStartFailures - 1)]);
        expect(actions.flat().filter((action) => action.do === 'reload-failed')).toEqual([]);
        expect(state.pendingReload?.failures).toBe(maxStartFailures - 1);
      });

      test('fails with so many, and the old generation gets its slots back, a successor before each drain', () => {
        const { state, actions } = play(2, [
          ...begun,
          ...tries(maxStartFailures),
          [14_000, beat(2), ready(4 + maxStartFailures)],
          [14_500, exited(3)],
        ]);
        expect(actions.flat().filter(({ do: what }) => what !== 'start')).toEqual([
          { do: 'drain', workerId: 1 },
          { do: 'reload-failed', generation: 2, failures: maxStartFailures },
          { do: 'drain', workerId: 3 },
        ]);
        const serving = state.workers.filter(({ at }) => at === 'ready');
        expect(serving.map(({ slot, generation }) => [slot, generation])).toEqual([
          [2, 1],
          [1, 1],
        ]);
      });

      test('fails at once where the next one says that no other could start, or is not ready in time', () => {
        const refused = play(2, [...begun, [7_200, { type: 'refused', workerId: 4 }, exited(4)]]);
        expect(refused.actions.at(-1)?.[0]).toEqual({ do: 'reload-failed', generation: 2, failures: 5 });
        const lateMs = 7_100 + DEFAULT_POLICY.startTimeoutMs;
        const late = play(2, [...begun, [lateMs, beat(2), beat(3)], [lateMs + 1, exited(4)]]);
        expect(late.actions.at(-1)?.[0]).toMatchObject({ do: 'reload-failed', generation: 2 });
      });

      test('fails where its workers end soon after they were ready, again and again', () => {
        let { state } = play(2, [[0], [2_000, ready(1), ready(2)], [7_000, reload]]);
        const answers: ArbiterAction[] = [];
        for (let nowMs = 8_000; nowMs < 20_000 && answers.length === 0; nowMs += 2_000) {
          const { workerId = 0 } = state.workers.find(({ at }) => at === 'starting') ?? {};
          state = tick(state, nowMs, [beat(1), beat(2), ready(workerId)]).state;
          const ended = tick(state, nowMs + 500, [exited(workerId)]);
          state = tick(ended.state, nowMs + 1_900, [beat(1), beat(2)]).state;
          answers.push(...ended.actions.filter(({ do: what }) => what === 'reload-failed' || what === 'reloaded'));
        }
        expect(answers).toEqual([{ do: 'reload-failed', generation: 2, failures: maxStartFailures }]);
      });

      test('gives the target back with which it came, unless somebody has scaled meanwhile', () => {
        const larger: ArbiterEvent = { type: 'reload', target: 3 };
        const story = [[0], [2_000, ready(1)], [7_000, larger]] as const;
        expect(play(1, [...story]).state.target).toBe(3);
        expect(play(1, [...story, [7_100, exited(2)]]).state.target).toBe(1);
        expect(play(1, [...story, [7_100, { type: 'scale', by: 1 }, exited(2)]]).state.target).toBe(4);
      });
    });

    test('is not done before a new worker is ready, also when the old one crashes while its successor starts', () => {
      const story: readonly (readonly [number, ...ArbiterEvent[]])[] = [
        [0],
        [2_000, ready(1)],
        [7_000, reload],
        [7_010, exited(1)],
      ];
      expect(play(1, [...story, [7_020, ready(2)]]).actions.slice(3)).toEqual([
        [],
        [{ do: 'reloaded', generation: 2 }],
      ]);
      expect(play(1, [...story, [7_020, exited(2)]]).actions.slice(3)).toEqual([
        [],
        [
          { do: 'reload-failed', generation: 2 },
          { do: 'start', slot: 1, workerId: 3, generation: 1 },
        ],
      ]);
    });

    test('whatever happens, is answered at most once, and as done only with a new worker ready in every slot', () => {
      // Of the workers that there are then; a reload is taken once the one before is answered, as the primary does.
      const happening = fc.oneof(
        fc.record({ type: fc.constantFrom('ready', 'ready', 'exited', 'leaving', 'reload'), pick: fc.nat(10) }),
        fc.record({ type: fc.constant('scale'), pick: fc.integer({ min: -1, max: 1 }) }),
      );
      const eventOf = (type: string, pick: number, state: ArbiterState): ArbiterEvent => {
        const workerId = state.workers[pick % Math.max(1, state.workers.length)]?.workerId ?? 0;
        if (type === 'reload') return state.pendingReload === undefined ? { type } : ready(workerId);
        return type === 'scale' ? { type, by: pick } : { type: type as 'ready' | 'exited' | 'leaving', workerId };
      };
      const seen = new Set<string>();
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), happening), { maxLength: 60 }), (story) => {
          let { state } = play(2, [[0], [1, ready(1), ready(2)]]);
          let nowMs = 2;
          let isPending = false;
          for (const [laterMs, { type, pick }] of story) {
            const event = eventOf(type, pick, state);
            isPending ||= event.type === 'reload';
            const step = tick(state, (nowMs += laterMs), [event]);
            state = step.state;
            const answers = step.actions.filter((action) => action.do === 'reloaded' || action.do === 'reload-failed');
            for (const answer of answers) seen.add(answer.do);
            expect(answers.length).toBeLessThanOrEqual(isPending ? 1 : 0);
            isPending &&= answers.length === 0;
            expect(state.pendingReload !== undefined).toBe(isPending);
            const newSlots = new Set(
              state.workers.flatMap(({ slot, at, generation }) =>
                at === 'ready' && generation === state.lastGeneration && slot <= state.target ? [slot] : [],
              ),
            );
            expect(answers.some((action) => action.do === 'reloaded') && newSlots.size < state.target).toBe(false);
          }
        }),
        { numRuns: 300 },
      );
      expect([...seen].sort()).toEqual(['reload-failed', 'reloaded']);
    });
  });

  describe('a worn-out worker', () => {
    const policy = { ...DEFAULT_POLICY, maxServed: 1000, maxAgeMs: 3_600_000 };

    test.each([
      [
        'by connections',
        0,
        [
          [999, false],
          [1000, true],
        ],
      ],
      [
        'by connections, with all of the jitter',
        1,
        [
          [899, false],
          [900, true],
        ],
      ],
    ] as const)('%s is replaced at its limit, the successor ready first', (_name, random, cases) => {
      for (const [served, isReplaced] of cases) {
        let step = tick(initialArbiterState(1), 0, [], policy, () => random);
        step = tick(step.state, 1, [ready(1)], policy, () => random);
        step = tick(step.state, 2, [beat(1, served)], policy, () => random);
        expect(starts(step.actions) === 1).toBe(isReplaced);
        expect(step.state.workers[0]?.at).toBe('ready');
      }
    });

    test('by age is replaced at its limit', () => {
      let { state } = tick(initialArbiterState(1), 0, [], policy);
      state = tick(state, 0, [ready(1)], policy).state;
      expect(tick(state, policy.maxAgeMs - 1, [beat(1)], policy).actions).toEqual([]);
      const due = tick(state, policy.maxAgeMs, [beat(1)], policy);
      expect(due.actions).toEqual([{ do: 'start', slot: 1, workerId: 2, generation: 1 }]);
      expect(tick(due.state, policy.maxAgeMs + 1, [ready(2)], policy).actions).toEqual([{ do: 'drain', workerId: 1 }]);
    });
  });

  describe('the spare pool', () => {
    const policy = { ...DEFAULT_POLICY, spare: { min: 2, max: 3, maxWorkers: 20 } };
    const second = (state: ArbiterState, nowMs: number, busy: number): ArbiterState => {
      const events = state.workers.flatMap((worker) => [ready(worker.workerId), beat(worker.workerId, 0, busy)]);
      return tick(state, nowMs, events, policy, () => 0, true).state;
    };

    test('grows by doubling steps while every worker is busy, and stops at the most workers', () => {
      let state = tick(initialArbiterState(1), 0, [], policy).state;
      const sizes: number[] = [];
      for (let now = 1; now < 30; now += 1) sizes.push((state = second(state, now * 1000, 0.9)).target);
      expect(sizes.slice(0, 3)).toEqual([2, 4, 6]);
      expect(sizes.at(-1)).toBe(20);
    });

    test('shrinks by one at a time while too many are idle', () => {
      let state = tick({ ...initialArbiterState(6) }, 0, [], policy).state;
      const sizes: number[] = [];
      for (let now = 1; now < 8; now += 1) sizes.push((state = second(state, now * 1000, 0.1)).target);
      expect(sizes).toEqual([5, 4, 3, 3, 3, 3, 3]);
    });
  });

  test('whatever happens, no more workers live than wanted once the wanted are ready, and no slot has two', () => {
    const event = fc.oneof(
      fc.record({ type: fc.constant('ready' as const), workerId: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ type: fc.constant('exited' as const), workerId: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ type: fc.constant('leaving' as const), workerId: fc.integer({ min: 1, max: 20 }) }),
      fc.record({
        type: fc.constant('beat' as const),
        workerId: fc.integer({ min: 1, max: 20 }),
        served: fc.nat(),
        eventLoop: fc.double({ min: 0, max: 1, noNaN: true }).map(loop),
      }),
      fc.record({ type: fc.constant('reload' as const) }),
      fc.record({ type: fc.constant('scale' as const), by: fc.integer({ min: -2, max: 2 }) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), event), { maxLength: 60 }), (story) => {
        let nowMs = 0;
        let state = initialArbiterState(2);
        for (const [laterMs, one] of story) {
          state = tick(state, (nowMs += laterMs), [one]).state;
          const living = state.workers.filter((worker) => worker.at !== 'draining');
          const alive = living.map((worker) => worker.slot);
          const ready = new Set(
            living.flatMap((worker) => (worker.at === 'ready' && worker.slot <= state.target ? [worker.slot] : [])),
          );
          // One successor at a time may share a slot with the worker that it replaces.
          expect(alive.length - new Set(alive).size).toBeLessThanOrEqual(1);
          expect(
            new Set(alive.filter((slot) => slot <= state.target || ready.size === state.target)).size,
          ).toBeLessThanOrEqual(state.target);
          expect(tick(state, nowMs, []).actions.filter((action) => action.do !== 'kill')).toEqual([]);
        }
      }),
    );
  });
});
