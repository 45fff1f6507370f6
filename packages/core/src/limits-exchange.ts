// What machines that serve the same addresses tell each other, so that the limits of one client hold over all of them. How
// it travels is another package's: core counts, and serves by its own counts alone where nothing arrives.

/** So many connections of an address, as limits know it: an IPv4 address, or an IPv6 network of 64 bits. */
export type AddressCounts = readonly (readonly [key: string, count: number])[];

/** `service` is its name: `ftp`, or `ftp/2` for the second service of one protocol. */
export type LimitsNews =
  /** The address did something wrong. */
  | { readonly type: 'offence'; readonly service: string; readonly key: string }
  /** The address is banned for so long from now on. */
  | { readonly type: 'ban'; readonly service: string; readonly key: string; readonly forMs: number }
  /** So many connections were let pass since it was told last. */
  | { readonly type: 'opened'; readonly service: string; readonly counts: AddressCounts }
  /**
   * So many are open now. What is not named is as it was; with `isWhole` it has none. A machine from which no whole one has
   * come for half a minute has gone.
   */
  | { readonly type: 'holds'; readonly service: string; readonly counts: AddressCounts; readonly isWhole: boolean };

export interface LimitsExchangeEvents {
  /** `machine` names who told it, another one for each `open`. What this one tells does not come back. */
  received(machine: string, news: LimitsNews): void;
  /** From now on what is told arrives. Bans that are in force are `received` then, whoever told them. */
  connected(): void;
  /** It can't be reached. Called once, until it is connected again. */
  lost(error: unknown): void;
  /** Something that was told has not been taken: what carries it refuses it, or had to be left in the middle. */
  refused(error: unknown): void;
}

/** The way between the machines. One for each server: a reload and a worker open none. */
export interface LimitsExchange {
  /**
   * Connects, and again whenever the connection is lost, until `close`. Returns at once: a server neither waits for it
   * to start nor ends without it.
   */
  open(events: LimitsExchangeEvents): void;
  /** Tells the others. Never waits and never throws; false where it was lost because nobody can be reached. */
  tell(news: LimitsNews): boolean;
  close(): Promise<void>;
}

// What one message may hold: senders split, and what is longer is no message of ours.
export const MAX_COUNTS = 4_096;
const MAX_KEY_LENGTH = 64;
/** A ban for ever is told as one for a year. */
export const MAX_BAN_MS = 365 * 86_400_000;

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_KEY_LENGTH;

const isCounts = (value: unknown): value is AddressCounts =>
  Array.isArray(value) &&
  value.length <= MAX_COUNTS &&
  value.every(
    (pair: unknown) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      isText(pair[0]) &&
      Number.isSafeInteger(pair[1]) &&
      Number(pair[1]) >= 0,
  );

/** Reads what another machine has told, as JSON. Undefined for what is none of ours: another version, or a stranger. */
export function parseLimitsNews(text: string): LimitsNews | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, service, key, forMs, counts, isWhole } = value as Readonly<Record<string, unknown>>;
  if (!isText(service)) return undefined;
  switch (type) {
    case 'offence':
      return isText(key) ? { type, service, key } : undefined;
    case 'ban':
      return isText(key) && typeof forMs === 'number' && forMs > 0 && forMs <= MAX_BAN_MS
        ? { type, service, key, forMs }
        : undefined;
    case 'opened':
      return isCounts(counts) ? { type, service, counts } : undefined;
    case 'holds':
      return isCounts(counts) && typeof isWhole === 'boolean' ? { type, service, counts, isWhole } : undefined;
    default:
      return undefined;
  }
}
