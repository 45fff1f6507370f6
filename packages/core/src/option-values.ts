// Whether options have values of the right kind: a JavaScript caller gets no compile error for `drainTimeoutMs: '30s'`, and
// would learn of it when the server drains.

import { WellknownError } from './errors.ts';

interface Kind {
  readonly fits: (value: unknown) => boolean;
  /** For the message: 'a number from 0'. */
  readonly allowed: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const hasFunctions =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    // pino's methods are the prototype's.
    isRecord(value) && names.every((name) => typeof value[name] === 'function');

const wholeFrom = (min: number, max = Number.MAX_SAFE_INTEGER): Kind => ({
  fits: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  allowed: `a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`,
});

export const NUMBER_FROM_0: Kind = {
  fits: (value) => typeof value === 'number' && value >= 0,
  allowed: 'a number from 0',
};
const BOOLEAN: Kind = { fits: (value) => typeof value === 'boolean', allowed: 'true or false' };
const RANGES: Kind = {
  fits: (value) => Array.isArray(value) && value.every((range) => typeof range === 'string'),
  allowed: "a list of addresses and ranges, as in ['192.0.2.0/24']",
};
const OBJECT: Kind = { fits: (value) => isRecord(value) && !Array.isArray(value), allowed: 'an object' };

/** The options that core does not look into elsewhere. */
const KINDS: Readonly<Record<string, Kind>> = {
  workers: {
    fits: (value) => value === 'auto' || wholeFrom(0).fits(value),
    allowed: "a whole number from 0, or 'auto'",
  },
  limits: OBJECT,
  datagramLimits: OBJECT,
  supervision: OBJECT,
  tls: OBJECT,
  proxyProtocol: RANGES,
  allow: RANGES,
  deny: RANGES,
  log: {
    fits: hasFunctions('debug', 'info', 'warn', 'error'),
    allowed: 'an object with the methods debug, info, warn and error, such as pino’s',
  },
  clock: {
    fits: hasFunctions('nowMs', 'wallMs', 'after', 'every'),
    allowed: 'an object with the methods nowMs, wallMs, after and every',
  },
  limitsExchange: {
    fits: hasFunctions('open', 'tell', 'close'),
    allowed: 'an object with the methods open, tell and close, as redisLimits() of @wellknown/redis-limits makes it',
  },
  backlog: wholeFrom(1, 65_535),
  maxUnsentBytesTotal: { ...NUMBER_FROM_0, allowed: 'a number of bytes from 0' },
  drainTimeoutMs: NUMBER_FROM_0,
  runAs: {
    fits: (value) => isRecord(value) && wholeFrom(0).fits(value.uid) && wholeFrom(0).fits(value.gid),
    allowed: '{ uid, gid } with two whole numbers from 0',
  },
  loadProtocols: { fits: (value) => typeof value === 'function', allowed: 'a function' },
  unixMode: { fits: wholeFrom(0, 0o777).fits, allowed: 'a number from 0 to 0o777, as in 0o660' },
  replaceUnixPath: BOOLEAN,
  keepUnixPath: { fits: (value) => typeof value === 'function', allowed: 'a function' },
};

/** Throws OPTION_INVALID for the first value that can't be right, by the name of its option. Undefined is what is left out. */
export function requireValues(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind !== undefined) requireKind(name, value, kind);
  }
}

/** Every value of the group, such as `limits`, is a number from 0. Names in `but` are looked at elsewhere. */
export function requireNumbers(group: string, values: object, but: readonly string[] = []): void {
  for (const [name, value] of Object.entries(values))
    if (!but.includes(name)) requireKind(`${group}.${name}`, value, NUMBER_FROM_0);
}

/** Throws OPTION_INVALID where the value is not of its kind. */
export function requireKind(name: string, value: unknown, { fits, allowed }: Kind): void {
  if (value !== undefined && !fits(value)) throw invalidOption(name, value, allowed);
}

/** As many workers as may be wanted: far beyond the cores of any machine, and what a typing error asks for is refused. */
export const MAX_WORKERS = 1024;
export const SCALE = wholeFrom(1, MAX_WORKERS);

// As long as it takes, so that a message between processes can carry it: there is no Infinity in JSON.
const LONGEST_MS = Number.MAX_SAFE_INTEGER;

/** How long a drain may take; Infinity is as long as it takes. Throws OPTION_INVALID for what is no time. */
export function graceOf({ graceMs }: { readonly graceMs?: number } = {}, byDefaultMs = 0): number {
  requireKind('graceMs', graceMs, NUMBER_FROM_0);
  return Math.min(graceMs ?? byDefaultMs, LONGEST_MS);
}

export const invalidOption = (name: string, given: unknown, allowed: string): WellknownError =>
  new WellknownError('OPTION_INVALID', `option '${name}' is ${shown(given)}, allowed is ${allowed}`, {
    fault: 'local',
  });

/** Short, and never the contents of an object, among which may be a key. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
