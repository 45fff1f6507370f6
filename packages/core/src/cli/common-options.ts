// The options that every server command takes, as a table: parsing, --help and the checks all read it.

import type { AcceptStrategy } from '../listener/shared-sockets.ts';
import type { DispatchPolicy } from '../options.ts';
import type { OptionSpec } from './server-command.ts';
import { CONNECTION_OPTIONS, SOCKET_OPTIONS, WORKER_OPTIONS } from './tuning.ts';

export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'listen',
    argument: 'ENDPOINT',
    repeatable: true,
    help: 'an empty HOST is all addresses (default: the well-known port on 127.0.0.1)',
  },
  {
    name: 'port-offset',
    argument: 'N',
    help: 'added to the well-known ports: 8000 gives 8080, 8021, 8023 and 8007 (default 0)',
  },
  {
    name: 'workers',
    argument: 'N',
    help: "processes that serve: 'auto' (one for each available core), a number, or 0 for this process alone (default auto)",
  },
  {
    name: 'accept',
    argument: 'STRATEGY',
    help: 'how workers accept: inherit-shared and inherit-sharded from sockets that the primary owns, inherit the better of these, dispatch from the primary, cluster-rr as node:cluster does (default inherit)',
  },
  {
    name: 'dispatch',
    argument: 'POLICY',
    help: 'to which worker --accept dispatch gives a connection: round-robin, least-connections or source-hash (default least-connections)',
  },
  { name: 'run-as', argument: 'USER[:GROUP]', help: 'the serving processes become this user once the ports are bound' },
  {
    name: 'tls-cert',
    argument: 'FILE',
    repeatable: true,
    help: 'certificate chain (PEM) of tls:// listeners, read again on HUP; of several, a client gets the one whose subjectAltName has the server name that it asks for, else the first',
  },
  {
    name: 'tls-key',
    argument: 'FILE',
    repeatable: true,
    help: 'its private key (PEM); of several, in the order of the certificates',
  },
  {
    name: 'tls-client-ca',
    argument: 'FILE',
    help: 'authorities (PEM) whose certificates clients have to show, read again on HUP (default: clients are not asked)',
  },
  {
    name: 'tls-client-cert',
    argument: 'RULE',
    help: 'require, or request: then clients without one are served too (default require)',
  },
  {
    name: 'proxy-protocol',
    argument: 'CIDR',
    repeatable: true,
    help: 'peers that must send a PROXY header (version 1 or 2) first; from others none is taken (default: none)',
  },
  {
    name: 'allow',
    argument: 'CIDR',
    repeatable: true,
    help: 'who may connect; the most specific of --allow and --deny decides, and with any --allow the rest may not (default: everyone may)',
  },
  { name: 'deny', argument: 'CIDR', repeatable: true, help: 'who may not connect' },
  { name: 'max-connections', argument: 'N', help: 'open at once over all workers, the next ones wait (default 10000)' },
  {
    name: 'max-connections-per-ip',
    argument: 'N',
    help: 'open at once for one address (IPv6: one /64) over all workers, the next one is turned away (default 1000)',
  },
  {
    name: 'max-rate',
    argument: 'N',
    help: 'connections accepted in a second over all workers, the next ones wait (default: no limit)',
  },
  {
    name: 'max-rate-per-ip',
    argument: 'N',
    help: 'connections of one address (IPv6: one /64) in a second over all workers, the next one is turned away (default: no limit)',
  },
  {
    name: 'limits',
    argument: 'URL',
    help: 'a Redis through which machines share the limits for one address, and bans: redis://HOST:PORT, rediss://HOST:PORT or redis+socket:PATH (default: each machine counts for itself)',
  },
  {
    name: 'idle-timeout',
    argument: 'SECONDS',
    help: 'without a byte in either direction for so long, a connection ends (default: per protocol)',
  },
  { name: 'drain-timeout', argument: 'SECONDS', help: 'how long work in flight may take after TERM (default 30)' },
  ...WORKER_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...SOCKET_OPTIONS,
  {
    name: 'control',
    argument: 'PATH',
    help: 'a unix socket (mode 0600) for status, reload, upgrade, scale, drain and stop',
  },
  {
    name: 'inetd',
    help: 'serves the one connection that is its standard input, for inetd, tcpserver and the like; then ends',
  },
  {
    name: 'admin',
    argument: 'ENDPOINT',
    help: 'a page to look at, /metrics, /healthz, /readyz and /status.json, on tcp://HOST:PORT or a port of 127.0.0.1; without a token for this machine only, and only to be read',
  },
  {
    name: 'admin-token-file',
    argument: 'FILE',
    help: 'holds the token that --admin wants then: to read, to reload, to drain (default: WELLKNOWN_ADMIN_TOKEN)',
  },
  { name: 'pid-file', argument: 'PATH', help: 'written by rename once ready, removed at the end' },
  { name: 'log-level', argument: 'LEVEL', help: 'debug, info, warn or error (default info)' },
  {
    name: 'log-format',
    argument: 'FORMAT',
    help: 'json or pretty, on stderr (default: pretty on a terminal, otherwise json)',
  },
];

/** Those that are for the whole program. All others may differ from service to service. */
export const PROGRAM_OPTIONS: readonly string[] = [
  'port-offset',
  'workers',
  'accept',
  'dispatch',
  'run-as',
  'drain-timeout',
  ...WORKER_OPTIONS.map(({ name }) => name),
  'max-unsent',
  'limits',
  'backlog',
  'unix-mode',
  'control',
  'inetd',
  'admin',
  'admin-token-file',
  'pid-file',
  'log-level',
  'log-format',
];

/** Values of --accept. */
export const STRATEGIES: readonly AcceptStrategy[] = [
  'inherit',
  'inherit-shared',
  'inherit-sharded',
  'dispatch',
  'cluster-rr',
];

const RUNS_PROGRAMS = 'this server serves by itself and runs no program';
/** Strategies that are not for --accept, and where they are to be had. */
export const STRATEGIES_ELSEWHERE: Readonly<Partial<Record<string, string>>> = {
  wait: `${RUNS_PROGRAMS}; inetd's wait is 'wellknown exec --wait -- PROGRAM'`,
  'fork-exec': `${RUNS_PROGRAMS}; a process for each connection is 'wellknown exec -- PROGRAM'`,
  nowait: `${RUNS_PROGRAMS}; inetd's nowait is 'wellknown exec -- PROGRAM', or --inetd under another super-server`,
  inline: 'one process that accepts and serves is --workers 0',
};

/** Values of --dispatch. */
export const DISPATCH_POLICIES: readonly DispatchPolicy[] = ['round-robin', 'least-connections', 'source-hash'];
/** What `source-hash` was called before. */
export const DISPATCH_ALIASES: Readonly<Partial<Record<string, DispatchPolicy>>> = { address: 'source-hash' };
