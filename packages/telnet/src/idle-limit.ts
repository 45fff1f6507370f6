// The idle limit of a session, which core keeps as well but closes without a word: who comes back to a closed terminal
// should see why.

import type { Clock, Connection } from '@wellknown/core';

export interface IdleLimitParts {
  readonly connection: Pick<Connection, 'idleTimeoutMs' | 'setIdleTimeout' | 'setDeadline'>;
  readonly clock: Clock;
  /** Nothing was sent or received for `idleMs`. */
  readonly passed: (idleMs: number) => void;
}

export interface IdleLimit {
  /** Something was sent or received. */
  active(): void;
  /** The deadline of the connection has passed. */
  deadline(): void;
}

/** Takes the limit of the connection over. It needs the connection's deadline. */
export function createIdleLimit({ connection, clock, passed }: IdleLimitParts): IdleLimit {
  const limitMs = connection.idleTimeoutMs;
  let lastMs = clock.nowMs();
  connection.setIdleTimeout(0);
  connection.setDeadline(limitMs);
  return {
    active: () => void (lastMs = clock.nowMs()),
    deadline() {
      // Moved only now: there is activity with every key.
      const idleMs = clock.nowMs() - lastMs;
      if (idleMs < limitMs) connection.setDeadline(limitMs - idleMs);
      else passed(limitMs);
    },
  };
}

/** What is said to the user. */
export function idleNotice(idleMs: number): string {
  const seconds = Math.round(idleMs / 1000);
  const time = seconds % 60 === 0 ? plural(seconds / 60, 'minute') : plural(seconds, 'second');
  return `\nNothing was sent for ${time}. Goodbye.\n`;
}

const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
