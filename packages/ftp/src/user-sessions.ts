// What sessions share, over all workers: the rates of the server and of each user, and how many sessions a user may have.

import type { Clock, Place, SharedPlaces } from '@wellknown/core';
import { BufferPool } from '@wellknown/core/files';
import { Pace, Throttle } from './throttle.ts';
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

/** The pace of one transfer. */
export class TransferPace extends Pace {
  readonly #end: () => void;

  constructor(throttles: readonly Throttle[], clock: Clock, end: () => void) {
    super(throttles, clock);
    this.#end = end;
  }

  /** Called once, with the end of the transfer. */
  end(): void {
    this.#end();
  }
}

/** The place of a session among those of its user. */
export class UserSession {
  readonly #sessions: UserSessionsParts;
  readonly #user: SharedUser;
  /** The one of several that there may be; undefined where nobody counts. */
  readonly #place: Place | undefined;
  readonly #own: OwnRates | undefined;
  // REIN and a closed connection leave a transfer behind, which still belongs to the user: it counts to its end.
  #transfers = 0;
  #hasLeft = false;

  constructor(sessions: UserSessionsParts, user: SharedUser, place: Place | undefined, own: OwnRates | undefined) {
    this.#sessions = sessions;
    this.#user = user;
    this.#place = place;
    this.#own = own;
    user.sessions += 1;
  }

  /** Of all sessions: what files are read into on their way. */
  get buffers(): BufferPool {
    return this.#sessions.buffers;
  }

  /** A transfer begins: it shares the rates of its user and of the server with all others that are under way. */
  begin(direction: Direction): TransferPace {
    this.#transfers += 1;
    const { server, clock } = this.#sessions;
    const shared = [this.#user.rates[direction], server[direction]].filter((rate) => rate !== undefined);
    const ends = shared.map((rate) => rate.join());
    const throttles = [...(this.#own?.[direction] ?? []), ...shared.map(({ throttle }) => throttle)];
    return new TransferPace(throttles, clock, () => {
      for (const end of ends) end();
      this.#transfers -= 1;
      this.#mayEnd();
    });
  }

  /** Called once. Its place is free when its transfers have ended too. */
  leave(): void {
    this.#hasLeft = true;
    this.#mayEnd();
  }

  #mayEnd(): void {
    if (!this.#hasLeft || this.#transfers > 0) return;
    this.#place?.release();
    this.#user.sessions -= 1;
    if (this.#user.sessions === 0) this.#sessions.users.delete(this.#user.name);
  }
}

/** What all sessions share. */
interface UserSessionsParts {
  readonly clock: Clock;
  readonly buffers: BufferPool;
  readonly server: SharedRates;
  readonly users: Map<string, SharedUser>;
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

type OwnRates = Readonly<Record<Direction, readonly Throttle[]>>;

interface SharedUser {
  readonly name: string;
  sessions: number;
  readonly rates: SharedRates;
}

export class UserSessions {
  readonly #limits: SharedLimits;
  readonly #clock: Clock;
  readonly #places: SharedPlaces;
  readonly #parts: UserSessionsParts;

  constructor(limits: SharedLimits, clock: Clock, places: SharedPlaces) {
    this.#limits = limits;
    this.#clock = clock;
    this.#places = places;
    const server = this.#ratesOf(limits.server, 'of the server');
    this.#parts = { clock, buffers: new BufferPool(), server, users: new Map() };
  }

  /** Undefined when this user has as many sessions as there may be. */
  async enter({ user: name, limits }: Login): Promise<UserSession | undefined> {
    const { users } = this.#parts;
    const { maxSessions = Number.POSITIVE_INFINITY, ...rates } = { ...this.#limits.user, ...limits };
    let place: Place | undefined;
    if (Number.isFinite(maxSessions)) {
      place = await this.#places.take(`sessions of user ${name}`, maxSessions);
      if (place === undefined) return undefined;
    }
    const user = users.get(name) ?? { name, sessions: 0, rates: this.#ratesOf(rates, `of user ${name}`) };
    users.set(name, user);
    return new UserSession(this.#parts, user, place, this.#ownRates());
  }

  /** Of one session; undefined where nothing limits one. */
  #ownRates(): OwnRates | undefined {
    const { downloadBytesPerSecond, uploadBytesPerSecond } = this.#limits.session;
    if (!isLimit(downloadBytesPerSecond) && !isLimit(uploadBytesPerSecond)) return undefined;
    return {
      download: throttleOf(downloadBytesPerSecond, this.#clock),
      upload: throttleOf(uploadBytesPerSecond, this.#clock),
    };
  }

  #ratesOf({ downloadBytesPerSecond, uploadBytesPerSecond }: Rates, whose: string): SharedRates {
    const of = (direction: Direction, rate: number | undefined): SharedRate | undefined =>
      isLimit(rate) ? new SharedRate(rate, `${direction}s ${whose}`, this.#places, this.#clock) : undefined;
    return { download: of('download', downloadBytesPerSecond), upload: of('upload', uploadBytesPerSecond) };
  }
}

const isLimit = (rate: number | undefined): rate is number => rate !== undefined && rate > 0;

const throttleOf = (rate: number | undefined, clock: Clock): readonly Throttle[] =>
  isLimit(rate) ? [new Throttle(() => rate, clock)] : [];
