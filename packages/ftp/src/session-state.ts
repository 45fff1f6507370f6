// What is known of one control connection between two commands.
//
//     greeted ──USER──▶ named ──PASS──▶ ready ──REIN──▶ greeted
//        ▲                 └──wrong PASS──┐
//        └────────────────────────────────┘
//
// AUTH leads back to greeted from everywhere, with another protection.

import type { Address } from '@wellknown/core';
import type { Login } from './users/login.ts';
import type { HostPort } from './host-port.ts';
import type { Fact } from './listing/format.ts';
import type { AbsolutePath } from './path.ts';

/** How the next transfer gets its data connection. */
export type DataPlan =
  { readonly how: 'none' } | { readonly how: 'passive' } | { readonly how: 'active'; readonly to: HostPort };

/** The levels of RFC 2228 §3 that TLS knows: C and P. */
export type ProtectionLevel = 'clear' | 'private';

export interface Protection {
  readonly control: ProtectionLevel;
  /** PBSZ was said, without which there is no PROT (RFC 4217 §9). */
  readonly hasBufferSize: boolean;
  readonly data: ProtectionLevel;
}

interface Common {
  readonly protection: Protection;
}

interface LoggedOut extends Common {
  readonly failedLogins: number;
  readonly unknownCommands: number;
}

export interface Greeted extends LoggedOut {
  readonly at: 'greeted';
}

export interface Named extends LoggedOut {
  readonly at: 'named';
  readonly user: string;
}

export interface Ready extends Common {
  readonly at: 'ready';
  readonly login: Login;
  readonly cwd: AbsolutePath;
  readonly type: 'ascii' | 'image';
  readonly structure: 'file' | 'record';
  readonly data: DataPlan;
  /** EPSV ALL was said: the client promises to use nothing else (RFC 2428 §4). */
  readonly onlyExtendedPassive: boolean;
  /** Where the next transfer starts, set by REST. */
  readonly restartBytes: number;
  /** What the RNFR directly before this command named. */
  readonly renameFrom: AbsolutePath | undefined;
  /** What MLSD and MLST tell. */
  readonly facts: readonly Fact[];
}

export type SessionState = Greeted | Named | Ready;

const CLEAR: Protection = { control: 'clear', hasBufferSize: false, data: 'clear' };
// Implicit TLS: clients that say no PROT take it for granted that nothing travels in clear.
const IMPLICIT: Protection = { control: 'private', hasBufferSize: false, data: 'private' };

/** A connection that has just been accepted; `secure` where it began with a handshake. */
export const initialState = (begins: 'clear' | 'secure'): Greeted => ({
  at: 'greeted',
  failedLogins: 0,
  unknownCommands: 0,
  protection: begins === 'secure' ? IMPLICIT : CLEAR,
});

/** What stays the same for one connection. */
export interface SessionContext {
  readonly local: Address;
  readonly remote: Address;
  readonly mayUseActive: boolean;
  /** There is a certificate: AUTH TLS is offered. */
  readonly hasTls: boolean;
  /** What must be private: nothing, logins, or logins and transfers. */
  readonly requireTls: 'none' | 'control' | 'data';
  /** What TYPE A does to files: converts their line ends, nothing, or refuses to move them. */
  readonly ascii: 'convert' | 'ignore' | 'refuse';
  /** The type until TYPE is said. */
  readonly defaultType: 'ascii' | 'image';
  readonly wallMs: () => number;
  /** A few letters that no file's name ends with yet, for STOU. */
  readonly uniqueSuffix: () => string;
}
