// What is known of one control connection between two commands.
//
//     greeted ──USER──▶ named ──PASS──▶ ready ──REIN──▶ greeted
//        ▲                 └──wrong PASS──┐
//        └────────────────────────────────┘

import type { Address } from '@wellknown/core';
import type { Login } from './users/login.ts';
import type { HostPort } from './host-port.ts';
import type { Fact } from './listing/format.ts';
import type { AbsolutePath } from './path.ts';

/** How the next transfer gets its data connection. */
export type DataPlan =
  { readonly how: 'none' } | { readonly how: 'passive' } | { readonly how: 'active'; readonly to: HostPort };

export interface Greeted {
  readonly at: 'greeted';
  readonly failedLogins: number;
  readonly unknownCommands: number;
}

export interface Named {
  readonly at: 'named';
  readonly user: string;
  readonly failedLogins: number;
  readonly unknownCommands: number;
}

export interface Ready {
  readonly at: 'ready';
  readonly login: Login;
  readonly cwd: AbsolutePath;
  readonly type: 'ascii' | 'image';
  readonly data: DataPlan;
  /** EPSV ALL was said: the client promises to use nothing else (RFC 2428 §4). */
  readonly onlyExtendedPassive: boolean;
  /** Where the next transfer starts, set by REST. */
  readonly restartBytes: number;
  readonly renameFrom: AbsolutePath | undefined;
  /** What MLSD and MLST tell. */
  readonly facts: readonly Fact[];
}

export type SessionState = Greeted | Named | Ready;

export const INITIAL_STATE: SessionState = { at: 'greeted', failedLogins: 0, unknownCommands: 0 };

/** What stays the same for one connection. */
export interface SessionContext {
  readonly local: Address;
  readonly remote: Address;
  readonly mayUseActive: boolean;
  /** The IPv4 address for PASV replies; undefined: the one the client has reached. */
  readonly passiveAddress: string | undefined;
  readonly wallMs: () => number;
  /** A few letters that no file's name ends with yet, for STOU. */
  readonly uniqueSuffix: () => string;
}
