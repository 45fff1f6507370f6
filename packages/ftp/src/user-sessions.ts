// What sessions share, over all workers: the rates of the server and of each user, and how many sessions a user may have.

import type { Clock, Place, SharedPlaces } from '@wellknown/core';
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

/** The pace of one transfer. `end` is called once, with its end. */
export interface TransferPace extends Pace {
  end(): void;
}

/** The place of a session among those of its user. */
export interface UserSession {
  /** A transfer begins: it shares the rates of its user and of the server with all others that are under way. */
  begin(direction: Direction): TransferPace;
  /** Of all sessions: what files are read into on their way. */
  readonly buffers: BufferPool;
  /** Called once. Its place is free when its transfers have ended too. */
  leave(): void;
}

/**
 * One rate of all transfers of one name, here and in other workers. This process has the part of it that its transfers
 * are of all.
 */
class SharedRate {
  readonly throttle: Throttle;
  readonly #name: string;
  readonly #places: SharedPlaces;
  readonly #own = new Set<Place>();

  constructor(bytesPerSecond: number, name: string, places: SharedPlaces, clock: Clock) {
    this.#name = name;
    this.#places = places;
    this.throttle = new Throttle(() => bytesPerSecond * this.#share, clock);
  }

  /** Another transfer; the result ends it. */
  join(): () => void {
    const place = this.#places.join(this.#name);
    this.#own.add(place);
    return () => {
      this.#own.delete(place);
      place.release();
    };
  }

  get #share(): number {
    const [place] = this.#own;
    return place?.share ?? 1;
  }
}

type SharedRates = Readonly<Record<Direction, SharedRate | undefined>>;

interface SharedUser {
  sessions: number;
  readonly rates: SharedRates;
}

export class UserSessions {
  readonly #limits: SharedLimits;
  readonly #clock: Clock;
  readonly #places: SharedPlaces;
  readonly #server: SharedRates;
  readonly #buffers = new BufferPool();
  readonly #users = new Map<string, SharedUser>();

  constructor(limits: SharedLimits, clock: Clock, places: SharedPlaces) {
    this.#limits = limits;
    this.#clock = clock;
    this.#places = places;
    this.#server = this.#ratesOf(limits.server, 'of the server');
  }

  /** Undefined when this user has as many sessions as there may be. */
  async enter({ user, limits }: Login): Promise<UserSession | undefined> {
    const { session, user: byDefault } = this.#limits;
    const { maxSessions = Number.POSITIVE_INFINITY, ...rates } = { ...byDefault, ...limits };
    const place = Number.isFinite(maxSessions)
      ? await this.#places.take(`sessions of user ${user}`, maxSessions)
      : UNLIMITED;
    if (place === undefined) return undefined;
    const shared = this.#users.get(user) ?? { sessions: 0, rates: this.#ratesOf(rates, `of user ${user}`) };
    this.#users.set(user, shared);
    shared.sessions += 1;
    const own = {
      download: throttleOf(session.downloadBytesPerSecond, this.#clock),
      upload: throttleOf(session.uploadBytesPerSecond, this.#clock),
    };
    // REIN and a closed connection leave a transfer behind, which still belongs to the user: it counts to its end.
    let transfers = 0;
    let hasLeft = false;
    const mayEnd = (): void => {
      if (!hasLeft || transfers > 0) return;
      place.release();
      shared.sessions -= 1;
      if (shared.sessions === 0) this.#users.delete(user);
    };
    return {
      begin: (direction) => {
        transfers += 1;
        return this.#begin([shared.rates[direction], this.#server[direction]], own[direction], () => {
          transfers -= 1;
          mayEnd();
        });
      },
      buffers: this.#buffers,
      leave: () => {
        hasLeft = true;
        mayEnd();
      },
    };
  }

  #begin(shared: readonly (SharedRate | undefined)[], own: readonly Throttle[], hasEnded: () => void): TransferPace {
    const rates = shared.filter((rate) => rate !== undefined);
    const ends = rates.map((rate) => rate.join());
    const pace = createPace([...own, ...rates.map(({ throttle }) => throttle)], this.#clock);
    return {
      isFree: pace.isFree,
      get portionBytes() {
        return pace.portionBytes;
      },
      moved: (byteLength, signal) => pace.moved(byteLength, signal),
      end() {
        for (const end of ends) end();
        hasEnded();
      },
    };
  }

  #ratesOf({ downloadBytesPerSecond, uploadBytesPerSecond }: Rates, whose: string): SharedRates {
    const of = (direction: Direction, rate: number | undefined): SharedRate | undefined =>
      isLimit(rate) ? new SharedRate(rate, `${direction}s ${whose}`, this.#places, this.#clock) : undefined;
    return { download: of('download', downloadBytesPerSecond), upload: of('upload', uploadBytesPerSecond) };
  }
}

/** Of sessions that nothing limits nobody has to be told. */
const UNLIMITED: Pick<Place, 'release'> = { release: () => undefined };

const isLimit = (rate: number | undefined): rate is number => rate !== undefined && rate > 0;

const throttleOf = (rate: number | undefined, clock: Clock): readonly Throttle[] =>
  isLimit(rate) ? [new Throttle(() => rate, clock)] : [];
