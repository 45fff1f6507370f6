// What is known of one control connection between two commands.
//
//     greeted ──USER──▶ named ──PASS──▶ ready ──REIN──▶ greeted
//        ▲                 └──wrong PASS──┐
//        └────────────────────────────────┘
//
// AUTH leads back to greeted from everywhere, with another protection.

import type { Address } from '@wellknown/core';
import { isIpv6 } from '@wellknown/core/endpoint';
import type { Login } from './users/login.ts';
import type { FileSystem, HashAlgorithm } from './file-system.ts';
import type { HostPort } from './host-port.ts';
import type { Fact } from './listing/format.ts';
import type { AbsolutePath } from './path.ts';
import type { Reply } from './replies.ts';

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
  /** The host that the handshake has named. */
  readonly host: string | undefined;
}

interface Common {
  readonly protection: Protection;
  /** What HOST or the handshake has named, in lower case. */
  readonly host: string | undefined;
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
  /** EPSV ALL was said: the client promises to use nothing else (RFC 2428 §3). */
  readonly onlyExtendedPassive: boolean;
  /** Where the next transfer starts, set by REST. */
  readonly restartBytes: number;
  /** What the RNFR directly before this command named. */
  readonly renameFrom: AbsolutePath | undefined;
  /** What MLSD and MLST tell. */
  readonly facts: readonly Fact[];
  /** How many bytes the next upload is said to have, by ALLO. */
  readonly expectedBytes: number | undefined;
  /** Set by SITE UMASK. */
  readonly umask: number | undefined;
  /** What HASH counts, set by OPTS HASH. */
  readonly hashAlgorithm: HashAlgorithm;
}

export type SessionState = Greeted | Named | Ready;

const CLEAR: Protection = { control: 'clear', hasBufferSize: false, data: 'clear', host: undefined };
// Implicit TLS: clients that say no PROT take it for granted that nothing travels in clear.
const IMPLICIT: Omit<Protection, 'host'> = { control: 'private', hasBufferSize: false, data: 'private' };

/** A connection that has just been accepted; `secure` where it began with a handshake, which may have named a host. */
export const initialState = (begins: 'clear' | 'secure', host?: string): Greeted => ({
  at: 'greeted',
  failedLogins: 0,
  unknownCommands: 0,
  protection: begins === 'secure' ? { ...IMPLICIT, host } : CLEAR,
  host,
});

/** The host that a client has named in its handshake (SNI, RFC 6066 §3), if it is one that HOST might name too. */
export function hostOfHandshake(
  serverName: string | undefined,
  { hosts }: Pick<SessionContext, 'hosts'>,
): string | undefined {
  const name = serverName === undefined ? undefined : hostOf(serverName);
  return name === undefined || hosts?.includes(name) !== false ? name : undefined;
}

/** A host that a client has named: a name in lower case, an IPv4 address, or an IPv6 address in brackets. */
export function hostOf(text: string): string | undefined {
  const name = text.toLowerCase();
  if (name.startsWith('[')) return name.endsWith(']') && isIpv6(name.slice(1, -1)) ? name : undefined;
  return name.length <= 253 && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name)
    ? name
    : undefined;
}

/** What a command of the server's own says: a text for 200, or a code of its own with one or more lines. */
export type CommandAnswer = string | { readonly code: number; readonly text: string | readonly string[] };

/** A word behind SITE, of the server's own. */
export interface SiteCommand {
  /** `writer`, the default: only for users who may change files. */
  readonly access?: 'user' | 'writer';
  /** Its arguments, for SITE HELP. */
  readonly help?: string;
  /** What it throws is logged and answered 451. The rights of the user hold in `fileSystem`. */
  readonly run: (call: {
    readonly argument: string;
    readonly user: string;
    readonly fileSystem: FileSystem;
    readonly directory: AbsolutePath;
  }) => CommandAnswer | Promise<CommandAnswer>;
}

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
  /** Of users who have none of their own; before a login FEAT tells what it can do. */
  readonly fileSystem: FileSystem;
  /** HASH and the X-commands are offered to users who are not anonymous. */
  readonly checksums: boolean;
  /** What HOST may name, in lower case; undefined: anything. */
  readonly hosts: readonly string[] | undefined;
  readonly greeting: Reply;
  readonly siteCommands: Readonly<Record<string, SiteCommand>>;
  readonly wallMs: () => number;
  /** A few letters that no file's name ends with yet, for STOU. */
  readonly uniqueSuffix: () => string;
}
