// Whether the certificate of a client can be trusted: Node checks it in every handshake, but tells the result only to its
// own servers.

import type tls from 'node:tls';
import type { X509Certificate } from 'node:crypto';

interface VerifyingHandle {
  /** The error of the check, or null. */
  verifyError?: () => Error | null | undefined;
}

/** The peer's certificate, where it has shown one that an authority of the context has signed and that is valid now. */
export function trustedPeerCertificate(socket: tls.TLSSocket): X509Certificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const { _handle: handle } = socket as unknown as { _handle?: VerifyingHandle | null };
  // Where Node can't be asked any more, nothing is trusted.
  if (typeof handle?.verifyError !== 'function') return undefined;
  const problem = handle.verifyError();
  return problem === null || problem === undefined ? certificate : undefined;
}
