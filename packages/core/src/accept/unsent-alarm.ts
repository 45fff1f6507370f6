// Says in the log that slow readers were cut because together they held too much.

import { UnsentBudget } from '../connection/unsent-budget.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../time/clock.ts';
import { CoolDown } from '../time/cool-down.ts';

// While readers go on holding too much, one line in so long.
const ALARM_COOLDOWN_MS = 5_000;

/** The budget of a process, which tells when it is exceeded. `maxBytes` 0: there is no limit. */
export function createUnsentBudget(
  { log, clock }: { readonly log: Logger; readonly clock: Clock },
  maxBytes: number,
): UnsentBudget {
  const alarm = new CoolDown(ALARM_COOLDOWN_MS);
  let cutSince = 0;
  return new UnsentBudget({
    clock,
    maxBytes,
    exceeded(cut, unsentBytes) {
      cutSince += cut;
      if (!alarm.passes(clock.nowMs())) return;
      log.warn(
        { cut: cutSince, unsentBytes, reason: 'unsent-total' },
        'slow readers held more than maxUnsentBytesTotal, the slowest were cut',
      );
      cutSince = 0;
    },
  });
}
