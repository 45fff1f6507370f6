// The options that every server command takes, as a table: parsing, --help and the checks all read it.

import type { OptionSpec } from './server-command.ts';

export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'listen', argument: 'ENDPOINT', repeatable: true, help: 'tcp://HOST:PORT, udp://HOST:PORT, unix:PATH or unix:@NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1)' },
  { name: 'port-offset', argument: 'N', help: 'added to the well-known ports: 8000 gives 8080, 8021, 8023 and 8007 (default 0)' },
  { name: 'workers', argument: 'N', help: "processes that serve: 'auto' (one for each available core), a number, or 0 for this process alone (default auto)" },
  { name: 'accept', argument: 'STRATEGY', help: "how workers accept: 'inherit' or 'inherit-shared', from a socket that the primary owns (default inherit)" },
  { name: 'max-connections', argument: 'N', help: 'open at once over all workers, the next ones wait (default 10000)' },
  { name: 'max-connections-per-ip', argument: 'N', help: 'open at once for one address (IPv6: one /64) over all workers, the next one is turned away (default 1000)' },
  { name: 'idle-timeout', argument: 'SECONDS', help: 'without a byte in either direction for so long, a connection ends (default: per protocol)' },
  { name: 'drain-timeout', argument: 'SECONDS', help: 'how long work in flight may take after TERM (default 30)' },
  { name: 'pid-file', argument: 'PATH', help: 'written by rename once ready, removed at the end' },
  { name: 'log-level', argument: 'LEVEL', help: 'debug, info, warn or error (default info)' },
  { name: 'log-format', argument: 'FORMAT', help: 'json or pretty, on stderr (default: pretty on a terminal, otherwise json)' },
];

/** Options of the command line's contract that do not exist yet: refused by name, so that nobody believes they took effect. */
export const OPTIONS_TO_COME: readonly string[] = [
  'run-as', 'tls-cert', 'tls-key', 'proxy-protocol', 'allow', 'deny', 'admin', 'control', 'access-log', 'config',
  'tls-mode', 'tls-session-reuse', 'exec', 'login',
];

/** Values of --accept that the contract names and this version does not have. */
export const STRATEGIES_TO_COME: readonly string[] = ['inherit-sharded', 'cluster-rr', 'dispatch'];
export const STRATEGIES: readonly string[] = ['inherit', 'inherit-shared'];
