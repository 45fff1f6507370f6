// The options for what is right by default: when workers are replaced and how many there are, what a connection may
// cost.

import type { SupervisionPolicy } from '../supervision-policy.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { fail, ok, type Result } from '../result.ts';
import { readNumber } from './read-values.ts';
import type { OptionSpec, OptionValues } from './server-command.ts';

export interface Tuning {
  readonly supervision: Partial<Omit<SupervisionPolicy, 'drainTimeoutMs'>>;
  readonly connectionLimits: Partial<ConnectionLimits>;
  readonly backlog: number | undefined;
  readonly maxUnsentBytesTotal: number | undefined;
  readonly unixMode: number | undefined;
}

/** What only a server with workers has. */
export const WORKER_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'max-served',
    argument: 'N',
    help: 'a worker that has accepted so many connections, less up to a tenth by chance, is replaced (default: never)',
  },
  {
    name: 'max-age',
    argument: 'SECONDS',
    help: 'so is a worker of this age, less up to a tenth by chance (default: never)',
  },
  {
    name: 'heartbeat-timeout',
    argument: 'SECONDS',
    help: 'a worker whose event loop says nothing for so long is killed and replaced (default 30)',
  },
  {
    name: 'late-beat',
    argument: 'SECONDS',
    help: 'once it has been late for so long with saying, as it does each second, that it runs, another worker serves its new connections too (default 0.5)',
  },
  {
    name: 'spare',
    argument: 'MIN-MAX',
    help: 'between how many spare workers, less than half busy, the pool is kept; --workers is what it starts with, --max-workers where it ends (default: the pool is fixed)',
  },
  { name: 'max-workers', argument: 'N', help: 'how many workers --spare may start in all' },
];

/** What only a server that reads the connection itself has. */
export const CONNECTION_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'lifetime',
    argument: 'SECONDS',
    help: 'a connection of this age ends, whatever it does (default: none does)',
  },
  { name: 'handshake-timeout', argument: 'SECONDS', help: 'in which a TLS handshake must have ended (default 5)' },
  { name: 'proxy-timeout', argument: 'SECONDS', help: 'in which a proxy must have sent its PROXY header (default 3)' },
  {
    name: 'write-timeout',
    argument: 'SECONDS',
    help: 'a peer that takes nothing of what was written for so long is cut off (default 30)',
  },
  {
    name: 'tcp-keep-alive',
    argument: 'SECONDS',
    help: 'a peer that is silent for so long is asked whether it is there; 0: never (default 120)',
  },
  {
    name: 'min-rate',
    argument: 'BYTES',
    help: 'so many bytes in a second a peer must at least take of what waits, and send in the middle of a message, on average; 0: no matter (default 100)',
  },
  {
    name: 'max-unsent',
    argument: 'BYTES',
    help: 'so many bytes slow readers may leave unsent in all, then the slowest are cut; 0: no matter (default: a quarter of the memory)',
  },
];

export const SOCKET_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'backlog',
    argument: 'N',
    help: 'connections that the kernel queues before they are accepted (default 1024)',
  },
  {
    name: 'unix-mode',
    argument: 'MODE',
    help: 'the permissions of unix paths, in octal as in 0660 (default: what the umask leaves)',
  },
];

export function readTuning(values: OptionValues): Result<Tuning, string> {
  const forWorkers = WORKER_OPTIONS.find(({ name }) => values.has(name));
  if (forWorkers !== undefined && values.text('workers') === '0')
    return fail(`--${forWorkers.name} is for workers: it goes without --workers 0`);
  const maxServed = readNumber(values, 'max-served', { whole: true, min: 1 });
  const maxAge = readNumber(values, 'max-age', { min: 1 });
  const heartbeat = readNumber(values, 'heartbeat-timeout', { min: 2 });
  const lateBeat = readNumber(values, 'late-beat', { min: 0.1 });
  const spare = readSpare(values);
  const lifetime = readNumber(values, 'lifetime', { min: 0 });
  const handshake = readNumber(values, 'handshake-timeout', { min: 0.1 });
  const proxy = readNumber(values, 'proxy-timeout', { min: 0.1 });
  const write = readNumber(values, 'write-timeout', { min: 0 });
  const keepAlive = readNumber(values, 'tcp-keep-alive', { whole: true, min: 0, max: 32_767 });
  const minRate = readNumber(values, 'min-rate', { whole: true, min: 0 });
  const backlog = readNumber(values, 'backlog', { whole: true, min: 1, max: 65_535 });
  const maxUnsent = readNumber(values, 'max-unsent', { whole: true, min: 0 });
  const unixMode = readMode(values);
  for (const read of [
    maxServed,
    maxAge,
    heartbeat,
    lateBeat,
    spare,
    lifetime,
    handshake,
    proxy,
    write,
    keepAlive,
    minRate,
    backlog,
    maxUnsent,
    unixMode,
  ])
    if (!read.ok) return read;
  const milliseconds = <Name extends string>(
    name: Name,
    read: Result<number | undefined, string>,
  ): Partial<Record<Name, number>> => given(name, read, 1000);
  return ok({
    supervision: {
      ...given('maxServed', maxServed),
      ...milliseconds('maxAgeMs', maxAge),
      ...milliseconds('heartbeatTimeoutMs', heartbeat),
      ...milliseconds('lateBeatMs', lateBeat),
      ...(spare.ok && spare.value !== undefined ? { spare: spare.value } : {}),
    },
    connectionLimits: {
      ...milliseconds('lifetimeMs', lifetime),
      ...milliseconds('handshakeTimeoutMs', handshake),
      ...milliseconds('proxyHeaderTimeoutMs', proxy),
      ...milliseconds('writeTimeoutMs', write),
      ...milliseconds('keepAliveMs', keepAlive),
      ...given('minReadBytesPerSecond', minRate),
      ...given('minWriteBytesPerSecond', minRate),
    },
    backlog: backlog.ok ? backlog.value : undefined,
    maxUnsentBytesTotal: maxUnsent.ok ? maxUnsent.value : undefined,
    unixMode: unixMode.ok ? unixMode.value : undefined,
  });
}

/** One field where the option was given, none where it was not: what is left out keeps its default. */
const given = <Name extends string>(
  name: Name,
  read: Result<number | undefined, string>,
  factor = 1,
): Partial<Record<Name, number>> =>
  (read.ok && read.value !== undefined ? { [name]: read.value * factor } : {}) as Partial<Record<Name, number>>;

function readSpare(values: OptionValues): Result<SupervisionPolicy['spare'], string> {
  const text = values.text('spare');
  const maxWorkers = readNumber(values, 'max-workers', { whole: true, min: 1, max: 1024 });
  if (!maxWorkers.ok) return maxWorkers;
  if (text === undefined)
    return maxWorkers.value === undefined ? ok(undefined) : fail('--max-workers is of no use without --spare MIN-MAX');
  const [, min = 0, max = 0] = (/^([0-9]{1,4})-([0-9]{1,4})$/.exec(text) ?? []).map(Number);
  if (min < 1 || max < min)
    return fail(`--spare is '${text}', allowed is MIN-MAX, two whole numbers from 1, the first not above the second`);
  if (maxWorkers.value === undefined) return fail('--spare needs --max-workers N, how many there may be in all');
  return ok({ min, max, maxWorkers: maxWorkers.value });
}

function readMode(values: OptionValues): Result<number | undefined, string> {
  const text = values.text('unix-mode');
  if (text === undefined) return ok(undefined);
  return /^0?[0-7]{3}$/.test(text)
    ? ok(Number.parseInt(text, 8))
    : fail(`--unix-mode is '${text}', allowed are three octal digits, as in 0660`);
}
