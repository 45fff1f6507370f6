// What the common options mean to a program that serves its standard input (--inetd). Those that mean nothing there are
// refused by name: passed over, a user would believe that they had taken effect.

import { fail, ok, type Result } from '../result.ts';
import type { OptionSpec, OptionValues } from './server-command.ts';

const NO_SOCKET = 'nothing is listened on';
const ALONE = 'this one process serves the one connection';
const ACCEPTED = 'who runs this has accepted the one connection, and limits those';
const IN_CLEAR = 'the connection is served as it comes, without TLS';
const NO_HEADER = 'the connection is served as it comes, no PROXY header is read';
const SHORT = 'this process ends with its one connection';

/** Of every common option: why it means nothing, or that it has its meaning. */
export const INETD_MEANING: Readonly<Partial<Record<string, 'taken' | { readonly not: string }>>> = {
  listen: { not: 'its standard input is served' },
  'port-offset': { not: NO_SOCKET },
  workers: { not: ALONE },
  accept: { not: ALONE },
  dispatch: { not: ALONE },
  'run-as': 'taken',
  'tls-cert': { not: IN_CLEAR },
  'tls-key': { not: IN_CLEAR },
  'tls-client-ca': { not: IN_CLEAR },
  'tls-client-cert': { not: IN_CLEAR },
  'proxy-protocol': { not: NO_HEADER },
  allow: 'taken',
  deny: 'taken',
  'max-connections': { not: ACCEPTED },
  'max-connections-per-ip': { not: ACCEPTED },
  'max-rate': { not: ACCEPTED },
  'max-rate-per-ip': { not: ACCEPTED },
  limits: { not: ACCEPTED },
  'idle-timeout': 'taken',
  'drain-timeout': 'taken',
  'max-served': { not: ALONE },
  'max-age': { not: ALONE },
  'heartbeat-timeout': { not: ALONE },
  'late-beat': { not: ALONE },
  spare: { not: ALONE },
  'max-workers': { not: ALONE },
  lifetime: 'taken',
  'handshake-timeout': { not: IN_CLEAR },
  'proxy-timeout': { not: NO_HEADER },
  'write-timeout': 'taken',
  'tcp-keep-alive': 'taken',
  'min-rate': 'taken',
  'max-unsent': { not: ALONE },
  backlog: { not: NO_SOCKET },
  'unix-mode': { not: NO_SOCKET },
  control: { not: SHORT },
  inetd: 'taken',
  admin: { not: SHORT },
  'admin-token-file': { not: SHORT },
  'pid-file': { not: SHORT },
  'log-level': 'taken',
  'log-format': 'taken',
};

/** Fails with the first option that goes without --inetd; `own` are those of the command itself. */
export function checkInetdOptions(values: OptionValues, own: readonly OptionSpec[]): Result<void, string> {
  const refused = [
    ...Object.entries(INETD_MEANING).flatMap(([name, meaning]) =>
      meaning === undefined || meaning === 'taken' ? [] : [{ name, why: meaning.not }],
    ),
    ...own.flatMap(({ name, withoutInetd: why }) => (why === undefined ? [] : [{ name, why }])),
  ].find(({ name }) => values.has(name));
  return refused === undefined ? ok(undefined) : fail(`--${refused.name} goes without --inetd: ${refused.why}`);
}
