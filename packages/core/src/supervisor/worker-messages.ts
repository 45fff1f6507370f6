// What the primary and its workers say to each other over the IPC channel of node:cluster.

import type { BeyondQuota, LeaseVerdict } from '../accept/address-ledger.ts';
import type { LogLevel } from '../log.ts';
import type { ConnectionFilter, OpenConnection } from '../observe/open-connections.ts';
import type { ConnectionPair, EventLoopStatus, MemoryStatus, ServiceShare } from '../observe/status.ts';

/** Marks our messages among any others that a program sends over the same channel. */
export const CHANNEL = 'wellknown/2';

export type FromPrimary =
  /** What the primary's program has for it, and files that it may not be allowed to read. */
  | { readonly type: 'data'; readonly data: unknown; readonly files: Readonly<Record<string, string>> }
  /**
   * Accept from the bound socket that comes along; with `via: 'cluster'` nothing comes along, and node:cluster is asked
   * for connections instead. `listener` is unique among all sockets of the program.
   */
  | {
      readonly type: 'assign';
      readonly service: number;
      readonly listener: number;
      readonly endpoint: string;
      readonly via: 'handle' | 'cluster';
    }
  /**
   * That was all: be ready once you accept from what was sent. `endpoints` are all of the program, for `listen()` to
   * tell.
   */
  | {
      readonly type: 'assigned';
      readonly endpoints: readonly { readonly service: string; readonly endpoint: string }[];
    }
  /**
   * So many workers share what all of them may have. Said before the first socket is assigned, and whenever the
   * pool changes.
   */
  | { readonly type: 'pool'; readonly workers: number }
  /** Have so many connections of it open, `workers` as in `pool`: others that drain hold some of what there may be. */
  | { readonly type: 'share'; readonly service: number; readonly maxConnections: number; readonly workers: number }
  /**
   * Open so many of each address without asking. Said when the pool changes, and when the worker is to drain. Answer
   * with `quota`.
   */
  | { readonly type: 'quota'; readonly service: number; readonly free: number }
  /** Stop accepting from it; what you have accepted stays yours. */
  | { readonly type: 'withdraw'; readonly service: number; readonly listener: number }
  /** A connection that the primary has accepted comes along. Answer with `taken` or `returned`. */
  | { readonly type: 'connection'; readonly service: number; readonly endpoint: string; readonly connection: number }
  | { readonly type: 'lease-answer'; readonly question: number; readonly verdict: LeaseVerdict }
  /** An address did wrong too often: it is not served for so long. Said to all workers, and to each that starts. */
  | { readonly type: 'ban'; readonly service: number; readonly key: string; readonly forMs: number }
  | { readonly type: 'place-answer'; readonly question: number; readonly isGranted: boolean }
  /** So many places of this name all workers have now. Said to those that have one. */
  | { readonly type: 'place-total'; readonly service: number; readonly name: string; readonly total: number }
  /** The key for session tickets, in base64: the same for all workers, and another one from time to time. */
  | { readonly type: 'ticket-key'; readonly key: string }
  | { readonly type: 'status-question'; readonly question: number }
  /** The next open connections of a listing, or the first ones of one that was not begun. Answer with `listing`. */
  | {
      readonly type: 'listing-question';
      readonly question: number;
      readonly listing: number;
      readonly filter: ConnectionFilter;
    }
  /** Nobody will ask for the rest of a listing. */
  | { readonly type: 'listing-end'; readonly listing: number }
  /** End this one: as in a drain, and at once with no grace. Answer with `connection-closed`. */
  | {
      readonly type: 'close-connection';
      readonly question: number;
      readonly connection: number;
      readonly graceMs: number;
    }
  /** Log events of this level and above from now on. Said again to each worker that starts. */
  | { readonly type: 'log-level'; readonly level: LogLevel }
  /** What a service of another worker tells its siblings. */
  | { readonly type: 'told'; readonly service: number; readonly message: unknown }
  /** Connections of the services in `keep` may go on for as long as they like. Said again where that has changed. */
  | { readonly type: 'drain'; readonly graceMs: number; readonly keep?: readonly number[] };

export type FromWorker =
  /** Its program asks for what it needs to begin. Answered with `data`. */
  | { readonly type: 'data-question' }
  /** The program has come to `listen()` and wants its sockets. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  /**
   * Could not start; said before the worker ends. `isMistake`: the command line or a file that it names is wrong, so
   * that another try would end as this one.
   */
  | { readonly type: 'failed'; readonly message: string; readonly isMistake: boolean }
  /**
   * The event loop turns, and this is what was counted so far. Said once a second, and as the last word of a worker
   * that has drained.
   */
  | {
      readonly type: 'beat';
      readonly eventLoop: EventLoopStatus;
      readonly memory: MemoryStatus;
      readonly services: readonly ServiceShare[];
    }
  /** It drains and accepts no more, because of a signal or of its own program. */
  | { readonly type: 'leaving' }
  /** Its share of the service's connections is used up: it has stopped accepting. */
  | { readonly type: 'full'; readonly service: number }
  /** There is room again. */
  | { readonly type: 'room'; readonly service: number }
  | { readonly type: 'taken'; readonly connection: number }
  /** It drains or is full, as it has said before, and has not taken the connection: another worker should. */
  | { readonly type: 'returned'; readonly connection: number }
  /** A connection that was taken has closed. */
  | { readonly type: 'closed'; readonly connection: number }
  | { readonly type: 'lease'; readonly service: number; readonly key: string; readonly question: number }
  /** It keeps to the quota that it was told. What it holds beyond that it will release, like any lease. */
  | { readonly type: 'quota'; readonly service: number; readonly free: number; readonly beyond: BeyondQuota }
  | { readonly type: 'release'; readonly service: number; readonly key: string }
  /** Wants one of at most `max` places of this name. Answered by `place-answer`. */
  | {
      readonly type: 'place-wanted';
      readonly service: number;
      readonly name: string;
      readonly max: number;
      readonly question: number;
    }
  /** Has taken one of any number. */
  | { readonly type: 'place-joined' | 'place-released'; readonly service: number; readonly name: string }
  /** For the same service in all other workers. */
  | { readonly type: 'tell'; readonly service: number; readonly message: unknown }
  /** An address did something wrong: count it. */
  | { readonly type: 'offence'; readonly service: number; readonly key: string }
  | { readonly type: 'status'; readonly question: number; readonly services: readonly ServiceAnswer[] }
  | ({ readonly type: 'listing'; readonly question: number } & ListingAnswer)
  /** It is no more, or there was none of this number. */
  | { readonly type: 'connection-closed'; readonly question: number; readonly wasOpen: boolean };

/** Some of a worker's open connections. */
export interface ListingAnswer {
  readonly connections: readonly OpenConnection[];
  readonly isLast: boolean;
}

/** What a worker says of one service when it is asked. */
export interface ServiceAnswer {
  readonly share: ServiceShare;
  readonly pairs: readonly ConnectionPair[];
}

export interface Envelope<Message> {
  readonly channel: typeof CHANNEL;
  readonly message: Message;
}

export const envelope = <Message>(message: Message): Envelope<Message> => ({ channel: CHANNEL, message });

const content = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null && 'channel' in raw && raw.channel === CHANNEL
    ? (raw as Envelope<unknown>).message
    : undefined;

/**
 * Our message, or undefined for one of another channel. The channel joins two copies of the same program, so its content is
 * trusted.
 */
export const messageFromPrimary = (raw: unknown): FromPrimary | undefined => content(raw) as FromPrimary | undefined;
export const messageFromWorker = (raw: unknown): FromWorker | undefined => content(raw) as FromWorker | undefined;
