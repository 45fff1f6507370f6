// What the options that every server takes come to: texts in, values with units or a sentence for the user out.

import type { AcceptStrategy } from '../listener/shared-sockets.ts';
import type { DispatchPolicy } from '../options.ts';
import { createAccessRules } from '../address/access-rules.ts';
import { parseCidr } from '../address/cidr-table.ts';
import { parseEndpoint, type Endpoint } from '../address/endpoint.ts';
import {
  formatListenTarget,
  isEndpoint,
  meantEndpoint,
  parseListenTarget,
  type ListenTarget,
} from '../address/listen-target.ts';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { fail, ok, type Result } from '../result.ts';
import { DISPATCH_ALIASES, DISPATCH_POLICIES, STRATEGIES, STRATEGIES_ELSEWHERE } from './common-options.ts';
import type { OptionValues, ServerCommand } from './server-command.ts';
import { readChoice, readNumber } from './read-values.ts';
import { readTuning, type Tuning } from './tuning.ts';
import type { TlsClientFiles, TlsFiles } from './tls-files.ts';

/** What the common options come to, with units. Undefined where the user said nothing. */
export interface CommonValues extends Tuning {
  readonly listen: readonly { readonly text: string; readonly endpoint: ListenTarget }[];
  readonly portOffset: number;
  readonly workers: number | 'auto';
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
  /** Connections in a second. */
  readonly maxRate: number | undefined;
  readonly maxRatePerAddress: number | undefined;
  /** At least one pair where there are any; the first is the default. */
  readonly tls: readonly TlsFiles[] | undefined;
  /** What clients have to show; only with `tls`. */
  readonly tlsClients: TlsClientFiles | undefined;
  /** Where limits are shared, as it was given: what it may be is known to who opens it. */
  readonly limits: string | undefined;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly proxyProtocol: readonly string[];
  readonly idleTimeoutMs: number | undefined;
  readonly drainTimeoutMs: number | undefined;
  readonly accept: AcceptStrategy | undefined;
  readonly dispatch: DispatchPolicy | undefined;
  /** USER[:GROUP], still as it was given: whether they exist is known to the system. */
  readonly runAs: string | undefined;
  /** The path of the control socket. */
  readonly control: string | undefined;
  /** Where the admin listener listens. */
  readonly admin: Endpoint | undefined;
  readonly adminTokenFile: string | undefined;
  /** Serve the connection on standard input instead of listening. */
  readonly inetd: boolean;
  readonly pidFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty' | undefined;
}

/** What the common options come to. The problem names the option, what was given and what is allowed. */
export function readCommon(
  values: OptionValues,
  command: Pick<ServerCommand, 'schemes' | 'upgradesToTls'>,
): Result<CommonValues, string> {
  const { schemes } = command;
  const listen: { text: string; endpoint: ListenTarget }[] = [];
  for (const text of values.list('listen')) {
    const endpoint = parseListenTarget(text);
    if (!endpoint.ok) return fail(`--listen: ${endpoint.error.message}${meantEndpoint(text, schemes[0] ?? 'tcp')}`);
    if (isEndpoint(endpoint.value) && !schemes.includes(endpoint.value.scheme))
      return fail(`--listen '${text}': this server listens on ${schemes.join(', ')} only`);
    const same = listen.find((earlier) => isSameTarget(earlier.endpoint, endpoint.value));
    if (same !== undefined)
      return fail(
        `--listen '${text}' was given before${same.text === text ? '' : ` as '${same.text}'`}: each endpoint goes once`,
      );
    listen.push({ text, endpoint: endpoint.value });
  }
  const tls = readTls(
    values,
    listen.some(({ endpoint }) => endpoint.scheme === 'tls'),
    command.upgradesToTls === true,
  );
  const tlsClients = readTlsClients(values);
  const access = readRanges(values);
  const maxRate = readNumber(values, 'max-rate', { min: 0.001 });
  const maxRatePerAddress = readNumber(values, 'max-rate-per-ip', { min: 0.001 });
  const portOffset = readNumber(values, 'port-offset', { whole: true, min: 0, max: 65_535 });
  const maxConnections = readNumber(values, 'max-connections', { whole: true, min: 1 });
  const maxConnectionsPerAddress = readNumber(values, 'max-connections-per-ip', { whole: true, min: 1 });
  const idleSeconds = readNumber(values, 'idle-timeout', { min: 0 });
  const drainSeconds = readNumber(values, 'drain-timeout', { min: 0 });
  const workers: Result<number | 'auto' | undefined, string> =
    values.text('workers') === 'auto'
      ? ok('auto')
      : readNumber(values, 'workers', { whole: true, min: 0, max: 1024, also: "'auto'" });
  const strategy = values.text('accept') ?? '';
  if (Object.hasOwn(STRATEGIES_ELSEWHERE, strategy))
    return fail(
      `--accept is '${strategy}': ${STRATEGIES_ELSEWHERE[strategy] ?? ''}; allowed is ${STRATEGIES.join(', ')}`,
    );
  const logLevel = readChoice(values, 'log-level', LOG_LEVELS);
  const accept = readChoice(values, 'accept', STRATEGIES);
  const dispatch = readChoice(values, 'dispatch', DISPATCH_POLICIES, DISPATCH_ALIASES);
  const logFormat = readChoice(values, 'log-format', ['json', 'pretty'] as const);
  const admin = readAdmin(values);
  const control = readControl(values);
  const tuning = readTuning(values);
  if (!tuning.ok) return tuning;
  for (const read of [
    tls,
    tlsClients,
    access,
    maxRate,
    maxRatePerAddress,
    portOffset,
    maxConnections,
    maxConnectionsPerAddress,
    idleSeconds,
    drainSeconds,
    workers,
    accept,
    dispatch,
    logLevel,
    logFormat,
    admin,
    control,
  ])
    if (!read.ok) return read;
  const value = <Value>(read: Result<Value, string>): Value | undefined => (read.ok ? read.value : undefined);
  const milliseconds = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds * 1000;
  return ok({
    ...tuning.value,
    listen,
    portOffset: value(portOffset) ?? 0,
    workers: value(workers) ?? 'auto',
    maxConnections: value(maxConnections),
    maxConnectionsPerAddress: value(maxConnectionsPerAddress),
    maxRate: value(maxRate),
    maxRatePerAddress: value(maxRatePerAddress),
    limits: values.text('limits'),
    tls: value(tls),
    tlsClients: value(tlsClients),
    ...(value(access) ?? { allow: [], deny: [], proxyProtocol: [] }),
    idleTimeoutMs: milliseconds(value(idleSeconds)),
    drainTimeoutMs: milliseconds(value(drainSeconds)),
    accept: value(accept),
    dispatch: value(dispatch),
    runAs: values.text('run-as'),
    control: value(control),
    admin: value(admin),
    adminTokenFile: values.text('admin-token-file'),
    inetd: values.has('inetd'),
    pidFile: values.text('pid-file'),
    logLevel: value(logLevel) ?? 'info',
    logFormat: value(logFormat),
  });
}

/** The kernel gives each port 0 another port. TCP and TLS are one protocol to it. */
function isSameTarget(one: ListenTarget, other: ListenTarget): boolean {
  const hasPort = isEndpoint(one) && one.scheme !== 'unix';
  if (hasPort && one.port === 0) return false;
  const named = (target: ListenTarget): string => formatListenTarget(target).replace(/^tls:/, 'tcp:');
  return named(one) === named(other);
}

function readAdmin(values: OptionValues): Result<Endpoint | undefined, string> {
  const text = values.text('admin');
  if (text === undefined)
    return values.has('admin-token-file') ? fail('--admin-token-file is of no use without --admin') : ok(undefined);
  const endpoint = parseEndpoint(/^\d+$/.test(text) ? `tcp://127.0.0.1:${text}` : text);
  if (endpoint.ok && endpoint.value.scheme === 'tcp') return endpoint;
  return endpoint.ok || endpoint.error.part === 'scheme'
    ? fail(`--admin is '${text}', allowed is tcp://HOST:PORT, or a port of 127.0.0.1${meantEndpoint(text, 'tcp')}`)
    : fail(`--admin: ${endpoint.error.message}`);
}

/** A name without a file would have no mode: everybody could speak to it. */
function readControl(values: OptionValues): Result<string | undefined, string> {
  const path = values.text('control');
  if (path === undefined) return ok(undefined);
  const endpoint = parseEndpoint(`unix:${path}`);
  if (!endpoint.ok) return fail(`--control: ${endpoint.error.message}`);
  return endpoint.value.scheme === 'unix' && endpoint.value.abstract
    ? fail(`--control is '${path}', allowed is the path of a file, whose mode keeps others out; ./${path} is one`)
    : ok(path);
}

function readTls(
  values: OptionValues,
  hasListener: boolean,
  upgrades: boolean,
): Result<readonly TlsFiles[] | undefined, string> {
  const certs = values.list('tls-cert');
  const keys = values.list('tls-key');
  if (certs.length === 0 && keys.length === 0)
    return hasListener ? fail('--listen tls://… needs --tls-cert and --tls-key') : ok(undefined);
  if (certs.length === 0) return fail('--tls-key was given without --tls-cert');
  if (keys.length === 0) return fail('--tls-cert was given without --tls-key');
  if (certs.length !== keys.length)
    return fail(
      `--tls-cert was given ${times(certs)} and --tls-key ${times(keys)}: they go in pairs, the first certificate with the first key`,
    );
  if (!hasListener && !upgrades) return fail('--tls-cert is of no use without --listen tls://HOST:PORT');
  return ok(certs.map((cert, index) => ({ cert, key: keys[index] ?? '' })));
}

function readTlsClients(values: OptionValues): Result<TlsClientFiles | undefined, string> {
  const rule = readChoice(values, 'tls-client-cert', ['require', 'request']);
  if (!rule.ok) return rule;
  const ca = values.text('tls-client-ca');
  if (ca === undefined)
    return rule.value === undefined ? ok(undefined) : fail('--tls-client-cert was given without --tls-client-ca');
  if (values.list('tls-cert').length === 0) return fail('--tls-client-ca needs --tls-cert and --tls-key');
  return ok({ ca, required: rule.value !== 'request' });
}

const times = ({ length }: readonly string[]): string => (length === 1 ? 'once' : `${length} times`);

function readRanges(values: OptionValues): Result<Pick<CommonValues, 'allow' | 'deny' | 'proxyProtocol'>, string> {
  for (const name of ['allow', 'deny', 'proxy-protocol']) {
    for (const text of values.list(name)) {
      const range = parseCidr(text);
      if (!range.ok)
        return fail(
          `--${name} '${text}': ${range.error}; allowed is ADDRESS or ADDRESS/PREFIX, as in 192.0.2.0/24 or 2001:db8::/32`,
        );
    }
  }
  const ranges = {
    allow: values.list('allow'),
    deny: values.list('deny'),
    proxyProtocol: values.list('proxy-protocol'),
  };
  const rules = createAccessRules(ranges);
  return rules.ok ? ok(ranges) : fail(`--${rules.error}`);
}
