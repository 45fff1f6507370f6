// From what an authenticator grants to what a session works with.

import { WellknownError, type Address, type SecureInfo } from '@wellknown/core';
import type { FileSystem } from '../file-system.ts';
import { resolvePath, type AbsolutePath } from '../path.ts';
import { guardedFileSystem } from './guard.ts';
import { resolveRights, type ResolvedRights, type RightsOption } from './rights.ts';

/** What is sent with USER and PASS, and from where. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly remote: Address;
  /** Whether the control connection is TLS: in clear, the password has been seen by everyone on the way. */
  readonly secure: boolean;
  /** What the client has named by HOST (RFC 7151) or in its handshake (SNI), in lower case; the latter goes before. */
  readonly host?: string | undefined;
  /** The client's own, from one of the authorities of `tls.clientCertificates`. Its holder may need no password. */
  readonly certificate?: SecureInfo['clientCertificate'];
}

/** Bounds of one user; what is left out is not limited beyond what the server limits. */
export interface UserLimits {
  readonly downloadBytesPerSecond?: number;
  readonly uploadBytesPerSecond?: number;
  /** Sessions of this user at the same time. */
  readonly maxSessions?: number;
  readonly idleTimeoutMs?: number;
}

/** What a user gets. Everything may be left out. */
export interface Grant {
  /** The name in logs, hooks and limits; by default the one of USER. */
  readonly user?: string;
  /** What this user sees as `/`; by default the server's file system. */
  readonly fileSystem?: FileSystem;
  /** By default `read`. */
  readonly rights?: RightsOption;
  /** The directory the session begins in; by default `/`. */
  readonly home?: string;
  readonly limits?: UserLimits;
  /** Marks a user whom anyone may be: no checksums, and the password that was sent is no secret. */
  readonly anonymous?: boolean;
}

/**
 * What the user gets; undefined for a wrong name or password; `busy` where there was no time to look, which counts as no
 * failed login: the client is told to come again.
 */
export type Verdict = Grant | 'busy' | undefined;

/**
 * A rejection counts as a wrong password, and is logged. It should take the same work for a name that does not exist as
 * for one that does.
 */
export type Authenticate = (credentials: Credentials) => Promise<Verdict> | Verdict;

/** A user who has logged in, as the session knows them. */
export interface Login {
  readonly user: string;
  /** What this user sees as `/`, with the rights held. */
  readonly fileSystem: FileSystem;
  readonly rights: ResolvedRights;
  /** Whether anything may be changed anywhere. */
  readonly mayWrite: boolean;
  readonly home: AbsolutePath;
  readonly limits: UserLimits;
  readonly isAnonymous: boolean;
}

/** Throws OPTION_INVALID for rights or a home that are none: a mistake of the authenticator. */
export function openLogin(
  grant: Grant,
  { user, remote, secure }: Omit<Credentials, 'password'>,
  serverFileSystem: FileSystem,
): Login {
  const rights = resolveRights(grant.rights ?? 'read');
  if (!rights.ok)
    throw new WellknownError('OPTION_INVALID', `a rule of the rights: ${rights.error}`, { fault: 'local' });
  const home = resolvePath('/', grant.home ?? '/');
  if (!home.ok) throw new WellknownError('OPTION_INVALID', 'home is no path', { fault: 'local' });
  const name = grant.user ?? user;
  const remoteAddress = remote.family === 'unix' ? '' : remote.address;
  return {
    user: name,
    fileSystem: guardedFileSystem(grant.fileSystem ?? serverFileSystem, rights.value, {
      user: name,
      remoteAddress,
      secure,
    }),
    rights: rights.value,
    mayWrite: rights.value.mayChange,
    home: home.value,
    limits: grant.limits ?? {},
    isAnonymous: grant.anonymous ?? false,
  };
}
