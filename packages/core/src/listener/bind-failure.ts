// Why an endpoint could not be bound, in the words of a person. Pure.

import { formatEndpoint, type Endpoint } from '../address/endpoint.ts';
import { codeOf, WellknownError, type ErrorCode } from '../errors.ts';

const EXPLANATIONS: Readonly<
  Record<string, { readonly code: ErrorCode; readonly reason: string; readonly hint: string }>
> = {
  EADDRINUSE: {
    code: 'ADDRESS_IN_USE',
    reason: 'the address is in use',
    hint: 'end the program that listens there, or choose another port',
  },
  EACCES: {
    code: 'PERMISSION_DENIED',
    reason: 'permission denied',
    hint: 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; or choose another port',
  },
  EPERM: {
    code: 'PERMISSION_DENIED',
    reason: 'the system forbids it',
    hint: 'check the limits of the service or container that this runs in',
  },
  EADDRNOTAVAIL: {
    code: 'ADDRESS_NOT_AVAILABLE',
    reason: 'no interface of this machine has the address',
    hint: 'leave the host empty for all addresses, or name one that `ip address` shows',
  },
  EAFNOSUPPORT: {
    code: 'ADDRESS_NOT_AVAILABLE',
    reason: 'this machine does not speak that address family',
    hint: 'use an IPv4 address',
  },
  ENOTFOUND: {
    code: 'NAME_NOT_FOUND',
    reason: 'the host name is not known',
    hint: 'use an address, or check the name',
  },
  EAI_AGAIN: {
    code: 'NAME_NOT_FOUND',
    reason: 'the host name could not be looked up',
    hint: 'use an address, or check the resolver',
  },
};

/** The same for paths, where they differ. */
const PATH_EXPLANATIONS: typeof EXPLANATIONS = {
  EADDRINUSE: {
    code: 'ADDRESS_IN_USE',
    reason: 'the path is in use',
    hint: 'end the program that listens there, or choose another path',
  },
  EEXIST: {
    code: 'ADDRESS_IN_USE',
    reason: 'a file that is no socket has that name',
    hint: 'remove it, or choose another path',
  },
  EACCES: {
    code: 'PERMISSION_DENIED',
    reason: 'permission denied',
    hint: 'the folder must be writable; or choose another path',
  },
  EROFS: { code: 'BIND_FAILED', reason: 'the disk is read-only', hint: 'choose a path that can be written to' },
  ENOENT: { code: 'BIND_FAILED', reason: 'the folder of the path does not exist', hint: 'create it first' },
  ENAMETOOLONG: {
    code: 'BIND_FAILED',
    reason: 'the folder of the path has too long a name',
    hint: 'choose a shorter one: a path of 107 bytes is all that the kernel takes',
  },
  ENOTDIR: {
    code: 'BIND_FAILED',
    reason: 'what should be the folder of the path is none',
    hint: 'choose another path',
  },
};

/** bind(2), where all else was checked before: an IPv6 address of a link. */
const NO_ZONE: (typeof EXPLANATIONS)[string] = {
  code: 'ADDRESS_NOT_AVAILABLE',
  reason: 'the kernel does not take the address',
  hint: 'one that begins with fe80: needs the interface that it is on, as in [fe80::1%eth0]',
};

/** listen(2), of a socket that another process has made: the kernel tells of what it is in no other way. */
const NO_LISTENER: (typeof EXPLANATIONS)[string] = {
  code: 'BIND_FAILED',
  reason: 'the socket that was passed is no listening one but a connection that has ended',
  hint: 'start the program with a listening or a bound socket as that descriptor',
};

/**
 * Says in the words of a person why an endpoint could not be bound or listened on; `cause` keeps the system's error.
 */
export function explainBindFailure(endpoint: Endpoint, error: unknown): WellknownError {
  if (error instanceof WellknownError) return error;
  const code = codeOf(error);
  const isNoListener = code === 'EINVAL' && (error as NodeJS.ErrnoException).syscall === 'listen';
  const isIpv6 = endpoint.scheme !== 'unix' && endpoint.host.includes(':');
  const explanation = isNoListener
    ? NO_LISTENER
    : code === 'EINVAL' && isIpv6
      ? NO_ZONE
      : ((endpoint.scheme === 'unix' ? PATH_EXPLANATIONS[code] : undefined) ?? EXPLANATIONS[code]);
  const message = error instanceof Error ? error.message : String(error);
  return new WellknownError(
    explanation?.code ?? 'BIND_FAILED',
    `cannot listen on ${formatEndpoint(endpoint)}: ${explanation?.reason ?? message}`,
    {
      fault: 'system',
      ...(explanation === undefined ? {} : { hint: explanation.hint }),
      cause: error,
    },
  );
}
