// Waiting for the peer's answer to an option. Never without end: clients there are that obey and say nothing (TinTin++
// about ECHO), or answer one of two questions (BINARY).

import type { Clock, Timer } from '@wellknown/core';
import type { Negotiation, Side } from './engine/negotiation.ts';

export type OptionSide = readonly [side: Side, option: number];

export interface Answers {
  /** Resolves once no answer about these is owed, after two seconds, or when the connection is no more. */
  settled(options: readonly OptionSide[]): Promise<void>;
  /** The peer has said something about an option. */
  notice(): void;
  closed(): void;
}

/** More than a round trip through a satellite; a later answer counts all the same. */
const MAX_ANSWER_MS = 2000;

interface Wait {
  readonly options: readonly OptionSide[];
  readonly timer: Timer;
  readonly resolve: () => void;
}

export function createAnswers(clock: Clock, negotiation: Pick<Negotiation, 'state'>): Answers {
  const waits = new Set<Wait>();
  let over = false;

  const isOwed = ([side, option]: OptionSide): boolean => !['yes', 'no'].includes(negotiation.state(side, option));
  const finish = (wait: Wait): void => {
    waits.delete(wait);
    wait.timer.cancel();
    wait.resolve();
  };

  return {
    settled(options) {
      if (over || !options.some(isOwed)) return Promise.resolve();
      return new Promise((resolve) => {
        const wait: Wait = { options, resolve, timer: clock.after(MAX_ANSWER_MS, () => finish(wait)) };
        waits.add(wait);
      });
    },
    notice() {
      for (const wait of waits) if (!wait.options.some(isOwed)) finish(wait);
    },
    closed() {
      over = true;
      for (const wait of waits) finish(wait);
    },
  };
}
