// What TLS connections of a server share: certificates by server name, ALPN, and the key that encrypts session tickets.
//
// The context can be changed while connections are being accepted: a handshake that has begun ends with what it began
// with, the next one takes the new certificates. Tickets are the same over all workers when all are given the same key;
// OpenSSL keeps one key at a time here, so a session from before a rotation begins anew with a full handshake.

import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import type net from 'node:net';
import tls from 'node:tls';
import { WellknownError } from '../errors.ts';
import { requireKnownNames, requireNoMisspeltNames } from '../option-names.ts';
import { trustedPeerCertificate } from '../kernel/peer-certificate.ts';

/** A certificate chain and its key, as PEM. */
export interface TlsCertificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly passphrase?: string;
}

export interface TlsOptions extends TlsCertificate {
  /**
   * Other certificates by the server name that the client asks for (SNI): exact, or `*.example.org` for one label more.
   */
  readonly byServerName?: Readonly<Record<string, TlsCertificate>>;
  /** Default TLSv1.2: what is older is broken (RFC 8996). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's cipher list, for TLS 1.2. Default: Node's. */
  readonly ciphers?: string;
  /** Asks clients for a certificate. By default they are not asked. */
  readonly clientCertificates?: ClientCertificateRules;
}

export interface ClientCertificateRules {
  /** The authorities, as PEM, that a client's certificate must come from. */
  readonly ca: string | Buffer | readonly (string | Buffer)[];
  /** A client without a certificate of theirs is refused; by default it is served, with none shown. */
  readonly required?: boolean;
}

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

export interface TlsContext {
  /**
   * What `new tls.TLSSocket(socket, …)` takes on the server's side, as of now. `alpn` are the protocol's names (RFC
   * 7301).
   */
  socketOptions(alpn?: readonly string[]): tls.TLSSocketOptions;
  /**
   * Replaces certificates and settings for all handshakes to come. Throws OPTION_INVALID and changes nothing when they
   * are wrong.
   */
  setSecureContext(options: TlsOptions): void;
  /** What clients will find wrong with the certificates in use at this time: one that has expired, or is for later. */
  validityProblems(wallMs: number): readonly string[];
  /** Sets the key for session tickets: TICKET_KEY_BYTES random bytes, the same in all workers. */
  setTicketKey(key: Uint8Array): void;
  /**
   * The same certificates, as of now, with sessions of its own: no session of another context can be resumed in it, so
   * that `sessionReused` proves that the client is one it has spoken to before. Costs about 2 ms, for each certificate
   * that is used.
   */
  withOwnSessions(): TlsContext;
  /** A client must show a certificate. */
  readonly requiresClientCertificate: boolean;
}

/** The client's side of a handshake, for connections that this program has made. */
export interface TlsClient {
  /**
   * Begins the handshake on a connected socket: emits `secureConnect` once the server's certificate has been checked.
   */
  connect(socket: net.Socket): tls.TLSSocket;
}

/** Name, HMAC key and AES key, 16 bytes each (RFC 5077 §4). */
export const TICKET_KEY_BYTES = 48;
// A key that leaks opens the sessions of its time. Most clients keep a ticket for at most two hours.
export const TICKET_KEY_ROTATION_MS = 4 * 60 * 60 * 1000;

export const createTicketKey = (): Buffer => randomBytes(TICKET_KEY_BYTES);

interface Contexts {
  readonly byDefault: tls.SecureContext;
  /** By name as it is written in `byServerName`, in lower case. */
  readonly named: (name: string) => tls.SecureContext | undefined;
}

/** Builds a context. Throws OPTION_INVALID that names what is wrong with a certificate or a key. */
export function createTlsContext(options: TlsOptions): TlsContext {
  return contextOver(options, (current, ticketKey) => buildContexts(current, ticketKey));
}

function contextOver(options: TlsOptions, build: (options: TlsOptions, ticketKey: Buffer) => Contexts): TlsContext {
  let current = options;
  let ticketKey = createTicketKey();
  let contexts = build(current, ticketKey);
  const sniCallback: NonNullable<tls.TLSSocketOptions['SNICallback']> = (serverName, done) =>
    done(null, contextFor(contexts, serverName));
  return {
    socketOptions: (alpn) => ({
      isServer: true,
      secureContext: contexts.byDefault,
      SNICallback: sniCallback,
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(current.clientCertificates === undefined
        ? {}
        : { requestCert: true, rejectUnauthorized: current.clientCertificates.required ?? false }),
    }),
    setSecureContext(replacement) {
      contexts = build(replacement, ticketKey);
      current = replacement;
    },
    validityProblems(wallMs) {
      const texts = [current, ...Object.values(current.byServerName ?? {})].map(({ cert }) => cert.toString());
      return [...new Set(texts)].flatMap((text) => validityProblem(new X509Certificate(text), wallMs));
    },
    setTicketKey(key) {
      ticketKey = Buffer.from(key);
      contexts = build(current, ticketKey);
    },
    withOwnSessions: () => contextOver(current, contextsOnDemand),
    get requiresClientCertificate() {
      return current.clientCertificates?.required ?? false;
    },
  };
}

const CERTIFICATE_NAMES: readonly string[] = Object.keys({
  cert: true,
  key: true,
  passphrase: true,
} satisfies Record<keyof TlsCertificate, true>);
const TLS_NAMES: readonly string[] = [
  ...CERTIFICATE_NAMES,
  ...Object.keys({
    byServerName: true,
    minVersion: true,
    ciphers: true,
    clientCertificates: true,
  } satisfies Record<Exclude<keyof TlsOptions, keyof TlsCertificate>, true>),
];

function buildContexts(options: TlsOptions, ticketKey: Buffer): Contexts {
  const { byServerName = {}, clientCertificates = {} } = options;
  // A misspelt rule would let everybody in, and so would one by its name in Node.
  requireNoMisspeltNames('option of tls', options, TLS_NAMES);
  for (const [name, certificate] of Object.entries(byServerName))
    requireNoMisspeltNames(`option of tls.byServerName '${name}'`, certificate, CERTIFICATE_NAMES);
  requireKnownNames('option of tls.clientCertificates', clientCertificates, ['ca', 'required']);
  // One for each certificate, however many names it has.
  const built = new Map<TlsCertificate, tls.SecureContext>();
  const byName = new Map<string, tls.SecureContext>();
  for (const [name, certificate] of Object.entries(byServerName)) {
    const context =
      built.get(certificate) ?? buildContext(options, certificate, ticketKey, `tls.byServerName '${name}'`);
    built.set(certificate, context);
    byName.set(name.toLowerCase(), context);
  }
  return { byDefault: buildContext(options, options, ticketKey, 'tls'), named: (name) => byName.get(name) };
}

/** For one client, which asks for one name: of the others nothing is built. They have been checked before. */
function contextsOnDemand(options: TlsOptions, ticketKey: Buffer): Contexts {
  const certificates = new Map(
    Object.entries(options.byServerName ?? {}).map(([name, certificate]) => [name.toLowerCase(), certificate]),
  );
  const built = new Map<TlsCertificate, tls.SecureContext>();
  return {
    byDefault: buildContext(options, options, ticketKey, 'tls'),
    named(name) {
      const certificate = certificates.get(name);
      if (certificate === undefined) return undefined;
      const context = built.get(certificate) ?? buildContext(options, certificate, ticketKey, 'tls.byServerName');
      built.set(certificate, context);
      return context;
    },
  };
}

function buildContext(
  options: TlsOptions,
  { cert, key, passphrase }: TlsCertificate,
  ticketKeys: Buffer,
  where: string,
): tls.SecureContext {
  const { minVersion = 'TLSv1.2', ciphers, clientCertificates } = options;
  try {
    // Node leaves out what is empty, and then no handshake would succeed.
    for (const [name, text] of Object.entries({ certificate: cert, key }))
      if (text.toString().trim() === '') throw new Error(`the ${name} is empty`);
    const context = tls.createSecureContext({
      cert,
      key,
      ticketKeys,
      minVersion,
      sessionIdContext: sessionContextOf(clientCertificates),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(clientCertificates === undefined ? {} : { ca: authoritiesOf(clientCertificates) }),
    });
    const privateKey = createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
    if (!new X509Certificate(cert).checkPrivateKey(privateKey))
      throw new Error('the key is not that of the certificate');
    return context;
  } catch (error) {
    throw new WellknownError('OPTION_INVALID', `${where}: the certificate and its key can't be used`, {
      fault: 'local',
      hint: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}

/**
 * Sessions must not be resumed under other rules for clients: who was let in by an authority that is not trusted any more
 * would stay in for as long as its ticket lasts. At most 32 bytes.
 */
function sessionContextOf(rules: ClientCertificateRules | undefined): string {
  if (rules === undefined) return 'wellknown';
  const hash = createHash('sha256').update(rules.required === true ? 'required' : 'optional');
  for (const authority of authoritiesOf(rules)) hash.update('\0').update(authority);
  return hash.digest('base64url').slice(0, 32);
}

function authoritiesOf({ ca }: ClientCertificateRules): (string | Buffer)[] {
  const authorities = typeof ca === 'string' || Buffer.isBuffer(ca) ? [ca] : [...ca];
  // OpenSSL passes over what is no certificate, and then every client would be refused.
  for (const authority of authorities) new X509Certificate(authority);
  if (authorities.length === 0) throw new Error('clientCertificates.ca is empty');
  return authorities;
}

function validityProblem(certificate: X509Certificate, wallMs: number): readonly string[] {
  const { subject, validFrom, validTo } = certificate;
  const name = subject.replaceAll('\n', ', ');
  if (wallMs >= Date.parse(validTo)) return [`the certificate of ${name} expired on ${validTo}`];
  return wallMs < Date.parse(validFrom) ? [`the certificate of ${name} is not valid before ${validFrom}`] : [];
}

/**
 * The most specific certificate for a name: exact, then the wildcard of its parent (RFC 6125 §6.4.3), then the default.
 */
function contextFor({ byDefault, named }: Contexts, serverName: string): tls.SecureContext {
  const name = serverName.toLowerCase();
  return named(name) ?? named(`*${name.slice(name.indexOf('.'))}`) ?? byDefault;
}
