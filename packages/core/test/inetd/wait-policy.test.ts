import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  DEFAULT_WAIT_POLICY,
  INITIAL_WAIT_STATE,
  stepWait,
  type WaitState,
  type WaitAction,
  type WaitEvent,
  type WaitPolicy,
} from '../../src/inetd/wait-policy.ts';

const READY: WaitEvent = { type: 'ready' };
const DONE: WaitEvent = { type: 'ended', failed: false };
const FAILED: WaitEvent = { type: 'ended', failed: true };
const OVER: WaitEvent = { type: 'pause-over' };
const CLOSE: WaitEvent = { type: 'close' };

/** Plays events, each at its time, and tells every action. */
function play(
  events: readonly (readonly [number, WaitEvent])[],
  policy: WaitPolicy = DEFAULT_WAIT_POLICY,
): { state: WaitState; actions: WaitAction[] } {
  let state = INITIAL_WAIT_STATE;
  const actions: WaitAction[] = [];
  for (const [nowMs, event] of events) {
    const step = stepWait(state, event, nowMs, policy);
    state = step.state;
    actions.push(step.action);
  }
  return { state, actions };
}

/** A peer comes and the program ends well, so many times, each at once. */
const rounds = (count: number, atMs = 0): (readonly [number, WaitEvent])[] =>
  Array.from(
    { length: count },
    () =>
      [
        [atMs, READY],
        [atMs, DONE],
      ] as const,
  ).flat();

describe('a step of exec --wait', () => {
  test('runs the program when a peer comes, and watches again once it has ended', () => {
    expect(
      play([
        [0, READY],
        [5_000, DONE],
      ]),
    ).toMatchObject({ state: { at: 'watching' }, actions: [{ do: 'run' }, { do: 'watch' }] });
  });

  test('does not run a second program while one runs', () => {
    expect(
      play([
        [0, READY],
        [1, READY],
      ]),
    ).toMatchObject({ state: { at: 'running' }, actions: [{ do: 'run' }, { do: 'nothing' }] });
  });

  test('may run the program as often as the limit says within a minute', () => {
    const { state, actions } = play(rounds(DEFAULT_WAIT_POLICY.maxStartsPerMinute));
    expect(state.at).toBe('watching');
    expect(actions.filter((action) => action.do === 'run')).toHaveLength(256);
  });

  test('does not start it for a while at the next peer, and counts anew after that', () => {
    const policy = { maxStartsPerMinute: 3, pauseMs: 7_000 };
    const { state, actions } = play([...rounds(3), [10, READY], [7_010, OVER], ...rounds(3, 7_020)], policy);
    expect(actions[6]).toEqual({ do: 'pause', forMs: 7_000, why: 'too-many-starts' });
    expect(actions[7]).toEqual({ do: 'watch' });
    expect(actions.slice(8).filter((action) => action.do === 'run')).toHaveLength(3);
    expect(state.at).toBe('watching');
  });

  test('forgets starts that are a minute old', () => {
    const policy = { maxStartsPerMinute: 1, pauseMs: 1_000 };
    expect(play([...rounds(1), [59_999, READY]], policy).state.at).toBe('paused');
    expect(play([...rounds(1), [60_000, READY]], policy).state.at).toBe('running');
  });

  test('waits longer and longer for a program that fails at once, up to fifteen seconds', () => {
    const pauses = play(
      Array.from(
        { length: 20 },
        (_, round) =>
          [
            [round * 20_000, READY],
            [round * 20_000, FAILED],
            [round * 20_000 + 15_000, OVER],
          ] as const,
      ).flat(),
    ).actions.flatMap((action) => (action.do === 'pause' ? [action.forMs] : []));
    expect(pauses.slice(0, 3)).toEqual([100, 150, 225]);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(15_000);
  });

  test('begins with the short wait again after a program that has worked', () => {
    const { actions } = play([[0, READY], [0, FAILED], [100, OVER], ...rounds(1, 200), [300, READY], [300, FAILED]]);
    expect(actions.at(-1)).toEqual({ do: 'pause', forMs: 100, why: 'program-fails' });
  });

  test('takes a failure after a second of work for its end, not for a reason to wait', () => {
    expect(
      play([
        [0, READY],
        [999, FAILED],
      ]).state.at,
    ).toBe('paused');
    expect(
      play([
        [0, READY],
        [1_000, FAILED],
      ]),
    ).toMatchObject({ state: { at: 'watching', failures: 0 } });
  });

  test('that is closed while a program runs has it ended first', () => {
    expect(
      play([
        [0, READY],
        [1, CLOSE],
      ]),
    ).toMatchObject({ state: { at: 'closing' }, actions: [{ do: 'run' }, { do: 'end-program' }] });
    expect(
      play([
        [0, READY],
        [1, CLOSE],
        [2, CLOSE],
        [3, FAILED],
      ]),
    ).toMatchObject({ state: { at: 'closed' } });
  });

  test('stays closed whatever happens, and never has two programs', () => {
    const event = fc.constantFrom(READY, DONE, FAILED, OVER, CLOSE);
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (events, maxStartsPerMinute) => {
        let programs = 0;
        let state = INITIAL_WAIT_STATE;
        for (const [index, one] of events.entries()) {
          const wasClosed = state.at === 'closed';
          const step = stepWait(state, one, index * 500, { maxStartsPerMinute, pauseMs: 1_000 });
          if (one.type === 'ended') programs = 0;
          if (step.action.do === 'run') programs += 1;
          expect(programs).toBeLessThanOrEqual(1);
          expect(step.state.startsMs.length).toBeLessThanOrEqual(maxStartsPerMinute);
          expect(wasClosed ? step : { state: { at: 'closed' }, action: { do: 'nothing' } }).toMatchObject({
            state: { at: 'closed' },
            action: { do: 'nothing' },
          });
          state = step.state;
        }
      }),
    );
  });
});
