// connect(2), and the TLS handshake where one is asked for.

import net from 'node:net';
import tls from 'node:tls';
import { onAbort } from '../abort.ts';
import { formatEndpoint, unixPathOf, type Endpoint } from '../address/endpoint.ts';
import { WellknownError, type ErrorCode } from '../errors.ts';
import { createNetTransport, createUnixClientTransport } from '../connection/net-transport.ts';
import { secureInfoOf, type SecureInfo } from '../connection/secure-info.ts';
import type { TlsClient } from '../connection/tls-context.ts';
import type { Transport } from '../connection/transport.ts';
import type { StreamEndpoint } from './socket-address.ts';

export interface DialOptions {
  /** A bound socket to connect from. */
  readonly from?: net.Socket;
  /** Speak TLS on the connection before anything else: what `tls.connect` takes. */
  readonly tls?: tls.ConnectionOptions;
  readonly signal?: AbortSignal | undefined;
}

export interface Dialed {
  /** Connected; it has not started to read. */
  readonly transport: Transport;
  /** What TLS agreed on, where it was asked for. */
  readonly secure: SecureInfo | undefined;
}

/**
 * Connects, and speaks TLS where that is asked for. Rejects with CONNECT_FAILED, NAME_NOT_FOUND or the signal's reason.
 */
export async function dial(endpoint: StreamEndpoint, options: DialOptions): Promise<Dialed> {
  const socket = await dialSocket(endpoint, options);
  return {
    transport:
      endpoint.scheme === 'unix' && options.tls === undefined
        ? createUnixClientTransport(socket, unixPathOf(endpoint))
        : createNetTransport(socket),
    secure: socket instanceof tls.TLSSocket ? secureInfoOf(socket, 'client') : undefined,
  };
}

/** The same as a socket of Node's. The caller listens for its errors. */
export async function dialSocket(endpoint: StreamEndpoint, options: DialOptions): Promise<net.Socket> {
  const socket = socketFor(endpoint, options.from);
  await established(endpoint, socket, 'connect', options.signal);
  return options.tls === undefined && endpoint.scheme !== 'tls'
    ? socket
    : secureSocket(socket, endpoint, options.tls, options.signal);
}

/** Speaks TLS, as the client, on a socket that is connected. */
export async function secureSocket(
  socket: net.Socket,
  endpoint: StreamEndpoint,
  options: tls.ConnectionOptions | undefined,
  signal: AbortSignal | undefined,
): Promise<tls.TLSSocket> {
  const secure = connectTls(socket, endpoint.scheme === 'unix' ? '' : endpoint.host, options);
  await established(endpoint, secure, 'secureConnect', signal);
  return secure;
}

/** What `Connection.startTls` takes for a connection of ours to `host`, which the certificate must name. */
export const tlsClientFor = (host: string, options: tls.ConnectionOptions): TlsClient => ({
  connect: (socket) => connectTls(socket, host, options),
});

function connectTls(socket: net.Socket, host: string, options: tls.ConnectionOptions | undefined): tls.TLSSocket {
  // RFC 6066 §3: a server name is a name and no address.
  const name = host === '' || net.isIP(host) !== 0 ? {} : { servername: host };
  const secure = tls.connect({ ...name, ...options, socket });
  secure.allowHalfOpen = true;
  // The TLS socket tells what goes wrong from here on; without a listener the same news would end the process.
  socket.on('error', () => undefined);
  return secure;
}

function socketFor(endpoint: StreamEndpoint, from: net.Socket | undefined): net.Socket {
  if (from === undefined) {
    const target =
      endpoint.scheme === 'unix'
        ? { path: endpoint.abstract ? `\0${endpoint.path}` : endpoint.path }
        : { host: endpoint.host, port: endpoint.port, noDelay: true };
    return net.connect({ ...target, allowHalfOpen: true });
  }
  // Before BoundSocket the bound socket is a bare handle. Reading must not start before it is connected.
  const settings = { handle: from, allowHalfOpen: true, manualStart: true };
  const socket = from instanceof net.Socket ? from : new net.Socket(settings);
  socket.allowHalfOpen = true;
  if (endpoint.scheme === 'unix') {
    socket.destroy();
    // libuv opens a pipe for reading and writing only when it made the descriptor itself.
    throw new WellknownError('UNSUPPORTED', `connect to ${formatEndpoint(endpoint)} from a bound socket`, {
      fault: 'system',
      hint: 'Node connects unix sockets only from unbound ones',
    });
  }
  // Trying several addresses would give each attempt a new, unbound socket.
  socket.connect({ host: endpoint.host, port: endpoint.port, noDelay: true, autoSelectFamily: false });
  return socket;
}

function established(
  endpoint: Endpoint,
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (run: () => void): void => {
      forget();
      socket.off('error', failed);
      socket.off('close', closed);
      socket.off(event, succeeded);
      run();
    };
    const succeeded = (): void => settle(resolve);
    const failed = (error: Error): void =>
      settle(() => {
        socket.destroy();
        reject(explainConnectFailure(endpoint, error));
      });
    const closed = (): void => failed(new Error('the peer closed during the handshake'));
    socket.once(event, succeeded);
    socket.once('error', failed);
    socket.once('close', closed);
    const forget = onAbort(signal, (reason) =>
      settle(() => {
        // An aborted attempt may still report an error, which is of no interest now.
        socket.on('error', () => undefined);
        socket.destroy();
        reject(reason);
      }),
    );
  });
}

const REASONS: Readonly<Record<string, { readonly code: ErrorCode; readonly reason: string }>> = {
  ECONNREFUSED: { code: 'CONNECT_FAILED', reason: 'no process listens there' },
  ECONNRESET: { code: 'CONNECT_FAILED', reason: 'the peer reset the connection' },
  ETIMEDOUT: { code: 'CONNECT_FAILED', reason: 'the peer does not answer' },
  EHOSTUNREACH: { code: 'CONNECT_FAILED', reason: 'the host cannot be reached' },
  ENETUNREACH: { code: 'CONNECT_FAILED', reason: 'the network cannot be reached' },
  ENOENT: { code: 'CONNECT_FAILED', reason: 'there is no socket at the path' },
  EAGAIN: { code: 'CONNECT_FAILED', reason: 'the listener has no room for another connection' },
  EACCES: { code: 'PERMISSION_DENIED', reason: 'permission denied' },
  EADDRINUSE: { code: 'ADDRESS_IN_USE', reason: 'the same two addresses are connected already' },
  EADDRNOTAVAIL: { code: 'ADDRESS_NOT_AVAILABLE', reason: 'no local address is free to connect from' },
  ENOTFOUND: { code: 'NAME_NOT_FOUND', reason: 'the host name is not known' },
  EAI_AGAIN: { code: 'NAME_NOT_FOUND', reason: 'the host name could not be looked up' },
};

/** Says in the words of a person why a peer could not be reached; `cause` keeps the system's error. */
export function explainConnectFailure(endpoint: Endpoint, error: Error): WellknownError {
  const explanation = 'code' in error && typeof error.code === 'string' ? REASONS[error.code] : undefined;
  return new WellknownError(
    explanation?.code ?? 'CONNECT_FAILED',
    `cannot connect to ${formatEndpoint(endpoint)}: ${explanation?.reason ?? handshakeReason(error) ?? error.message}`,
    {
      fault: 'remote',
      cause: error,
    },
  );
}

/** OpenSSL's own message is a line of its source; the reason alone is for people. */
const handshakeReason = (error: Error): string | undefined =>
  'library' in error && 'reason' in error && typeof error.reason === 'string'
    ? `the TLS handshake failed (${error.reason})`
    : undefined;
