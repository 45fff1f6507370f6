// What the sessions of one process share: the rates of the server and of each user, and how many sessions a user has.

import type { Clock } from '@wellknown/core';
import { BufferPool } from '@wellknown/core/files';
import { createPace, Throttle, type Pace } from './throttle.ts';
import type { Login } from './users/login.ts';

/** Bytes in a second; what is left out is not limited. */
export interface Rates {
  readonly downloadBytesPerSecond?: number;
  readonly uploadBytesPerSecond?: number;
}

export interface SharedLimits {
  /** Of one session. */
  readonly session: Rates;
  /** Of all sessions of one user together. */
  readonly user: Rates & { readonly maxSessions?: number };
  /** Of the whole server. */
  readonly server: Rates;
}

type Direction = 'download' | 'upload';

interface SharedUser {
  sessions: number;
  readonly throttles: Readonly<Record<Direction, readonly Throttle[]>>;
}

/** The place of a session among those of its user. */
export interface UserSession {
  readonly pace: Readonly<Record<Direction, Pace>>;
  /** Of all sessions: what files are read into on their way. */
  readonly buffers: BufferPool;
  leave(): void;
}

export class UserSessions {
  readonly #limits: SharedLimits;
  readonly #clock: Clock;
  readonly #server: Readonly<Record<Direction, readonly Throttle[]>>;
  readonly #buffers = new BufferPool();
  readonly #users = new Map<string, SharedUser>();

  /** `workerCount`: how many processes share what the server may have. */
  constructor(limits: SharedLimits, clock: Clock, workerCount: () => number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#server = throttlesOf(limits.server, clock, workerCount);
  }

  /** Undefined when this user has as many sessions as there may be. */
  enter({ user, limits }: Login): UserSession | undefined {
    const { session, user: byDefault } = this.#limits;
    const shared = this.#users.get(user) ?? {
      sessions: 0,
      throttles: throttlesOf({ ...byDefault, ...limits }, this.#clock, () => 1),
    };
    const { maxSessions = Number.POSITIVE_INFINITY } = { ...byDefault, ...limits };
    if (shared.sessions >= maxSessions) return undefined;
    shared.sessions += 1;
    this.#users.set(user, shared);
    const own = throttlesOf(session, this.#clock, () => 1);
    const paceOf = (direction: Direction): Pace =>
      createPace([...own[direction], ...shared.throttles[direction], ...this.#server[direction]], this.#clock);
    return {
      buffers: this.#buffers,
      pace: { download: paceOf('download'), upload: paceOf('upload') },
      leave: () => {
        shared.sessions -= 1;
        if (shared.sessions === 0) this.#users.delete(user);
      },
    };
  }
}

function throttlesOf(
  rates: Rates,
  clock: Clock,
  shares: () => number,
): Readonly<Record<Direction, readonly Throttle[]>> {
  const of = (rate: number | undefined): readonly Throttle[] =>
    rate === undefined || rate <= 0 ? [] : [new Throttle(() => rate / shares(), clock)];
  return { download: of(rates.downloadBytesPerSecond), upload: of(rates.uploadBytesPerSecond) };
}
