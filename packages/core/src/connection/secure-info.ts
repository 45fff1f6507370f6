// What a finished TLS handshake has agreed on, as protocols and the log see it.

import type tls from 'node:tls';
import { trustedPeerCertificate } from '../kernel/peer-certificate.ts';

/** The certificate of a client, signed by one of the authorities of `clientCertificates`. */
export interface ClientCertificate {
  /** The common name of its subject, where it has one. */
  readonly commonName: string | undefined;
  /** The whole subject, its parts separated by line feeds. */
  readonly subject: string;
  /** SHA-256 of the certificate, in hexadecimal with colons. */
  readonly fingerprint256: string;
}

/** What was agreed on in a handshake. */
export interface SecureInfo {
  /** `TLSv1.3` */
  readonly protocol: string;
  readonly cipher: string;
  /**
   * The server name that the client asked for. Undefined where it named none, and of a session that TLS 1.2 has resumed: there
   * Node does not tell it.
   */
  readonly serverName: string | undefined;
  readonly alpn: string | undefined;
  /** The client came back with a session that we gave it before. */
  readonly sessionReused: boolean;
  /** Only where clients are asked for one; of a resumed session it is that of its first handshake. */
  readonly clientCertificate: ClientCertificate | undefined;
}

/** What a finished handshake agreed on. `side` is ours. */
export function secureInfoOf(socket: tls.TLSSocket, side: 'client' | 'server'): SecureInfo {
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    // `servername` is false or null where the client named none; the types say otherwise.
    serverName: textOf((socket as { readonly servername?: unknown }).servername),
    alpn: textOf(socket.alpnProtocol),
    sessionReused: socket.isSessionReused(),
    clientCertificate: side === 'server' ? clientCertificateOf(socket) : undefined,
  };
}

function clientCertificateOf(socket: tls.TLSSocket): ClientCertificate | undefined {
  const certificate = trustedPeerCertificate(socket);
  if (certificate === undefined) return undefined;
  const { subject, fingerprint256 } = certificate;
  return { commonName: /^CN=(.*)$/m.exec(subject)?.[1], subject, fingerprint256 };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
