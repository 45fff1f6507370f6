// Waiting for what another process, another thread or the other end of a socket brings about.

import { setTimeout as pause } from 'node:timers/promises';

// Far beyond what anything on one machine takes; only a hang gets there.
const DEFAULT_TIMEOUT_MS = 15_000;
// What is a few turns of the event loop away is seen at once; what another process does is worth a pause.
const TURNS_WITHOUT_PAUSE = 20;
const MAX_PAUSE_MS = 20;
const PAUSE_GROWTH = 1.5;

export interface EventuallyOptions {
  /** After so long the last check is the result. Default fifteen seconds. */
  readonly timeoutMs?: number;
}

/**
 * Asks again and again until it is so: until `check` returns true, or returns nothing without having thrown, as a
 * function of assertions does. The event loop turns between two checks, with pauses that grow to 20 ms. Rejects after
 * `timeoutMs` with what the last check threw, or with an error that shows the check when it was false. A check that is
 * under way is waited for.
 */
export async function eventually(
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- what assertions return
  check: () => boolean | void | Promise<boolean | void>,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: EventuallyOptions = {},
): Promise<void> {
  // Made here, so that its stack shows who asked.
  const neverTrue = new Error(`was not true within ${timeoutMs} ms: ${check.toString()}`);
  const giveUpAtMs = performance.now() + timeoutMs;
  let pauseMs = 1;
  for (let turn = 0; ; turn += 1) {
    const failure = await failureOf(check, neverTrue);
    if (failure === undefined) return;
    if (performance.now() >= giveUpAtMs) throw failure.thrown;
    if (turn < TURNS_WITHOUT_PAUSE) await new Promise((resolve) => setImmediate(resolve));
    else {
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * PAUSE_GROWTH, MAX_PAUSE_MS);
    }
  }
}

async function failureOf(check: () => unknown, neverTrue: Error): Promise<{ readonly thrown: unknown } | undefined> {
  try {
    return (await check()) === false ? { thrown: neverTrue } : undefined;
  } catch (error) {
    return { thrown: error };
  }
}
