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
import { answerForTickets, askForTickets } from '../kernel/session-tickets.ts';

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
  /**
   * A socket with options of this context, whose handshake has yet to begin, gets no session tickets in TLS 1.3. Nor do
   * others of this context whose handshakes end before its own does. Throws UNSUPPORTED where Node can't.
   */
  withholdTickets(socket: tls.TLSSocket): void;
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

interface TicketRules {
  readonly key: Buffer;
  readonly isWithheld: () => boolean;
}

/** Builds a context. Throws OPTION_INVALID that names what is wrong with a certificate or a key. */
export function createTlsContext(options: TlsOptions): TlsContext {
  return contextOver(options, buildContexts);
}

function contextOver(options: TlsOptions, build: (options: TlsOptions, tickets: TicketRules) => Contexts): TlsContext {
  let current = options;
  /** Those in whose handshake no ticket must be given. */
  const withheld = new Set<tls.TLSSocket>();
  const isWithheld = (): boolean => withheld.size > 0;
  let tickets: TicketRules = { key: createTicketKey(), isWithheld };
  let contexts = build(current, tickets);
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
      contexts = build(replacement, tickets);
      current = replacement;
    },
    validityProblems(wallMs) {
      const texts = [current, ...Object.values(current.byServerName ?? {})].map(({ cert }) => cert.toString());
      return [...new Set(texts)].flatMap((text) => validityProblem(new X509Certificate(text), wallMs));
    },
    setTicketKey(key) {
      tickets = { key: Buffer.from(key), isWithheld };
      contexts = build(current, tickets);
    },
    withOwnSessions: () => contextOver(current, contextsOnDemand),
    withholdTickets(socket) {
      askForTickets(contexts.byDefault);
      withheld.add(socket);
      const give = (): void => void withheld.delete(socket);
      // Node tells of the handshake's end before OpenSSL makes the tickets, within one read.
      socket.once('secure', () => setImmediate(give)).once('close', give);
    },
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

function buildContexts(options: TlsOptions, tickets: TicketRules): Contexts {
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
    const context = built.get(certificate) ?? buildContext(options, certificate, tickets, `tls.byServerName '${name}'`);
    built.set(certificate, context);
    byName.set(name.toLowerCase(), context);
  }
  return { byDefault: buildContext(options, options, tickets, 'tls'), named: (name) => byName.get(name) };
}

/** For one client, which asks for one name: of the others nothing is built. They have been checked before. */
function contextsOnDemand(options: TlsOptions, tickets: TicketRules): Contexts {
  const certificates = new Map(
    Object.entries(options.byServerName ?? {}).map(([name, certificate]) => [name.toLowerCase(), certificate]),
  );
  const built = new Map<TlsCertificate, tls.SecureContext>();
  return {
    byDefault: contextOf(options, options, tickets),
    named(name) {
      const certificate = certificates.get(name);
      if (certificate === undefined) return undefined;
      const context = built.get(certificate) ?? contextOf(options, certificate, tickets);
      built.set(certificate, context);
      return context;
    },
  };
}

function buildContext(
  options: TlsOptions,
  certificate: TlsCertificate,
  tickets: TicketRules,
  where: string,
): tls.SecureContext {
  const { cert, key, passphrase } = certificate;
  try {
    // Node leaves out what is empty, and then no handshake would succeed.
    for (const [name, text] of Object.entries({ certificate: cert, key }))
      if (text.toString().trim() === '') throw new Error(`the ${name} is empty`);
    const context = contextOf(options, certificate, tickets);
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

/** Checks nothing. */
function contextOf(
  { minVersion = 'TLSv1.2', ciphers, clientCertificates }: TlsOptions,
  { cert, key, passphrase }: TlsCertificate,
  tickets: TicketRules,
): tls.SecureContext {
  const context = tls.createSecureContext({
    cert,
    key,
    ticketKeys: tickets.key,
    minVersion,
    sessionIdContext: sessionContextOf(clientCertificates),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(clientCertificates === undefined ? {} : { ca: authoritiesOf(clientCertificates) }),
  });
  answerForTickets(context, tickets.key, tickets.isWithheld);
  return context;
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
