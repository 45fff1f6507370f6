// Binding without accepting: the stream sockets that a primary owns for its whole life and assigns to its workers.
//
// Node offers this in the open as net.BoundSocket (24.19, 26.4). Before that, the only way is the function that
// node:cluster itself uses. Undocumented access is guarded: where it is missing, a clear error says so.

import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { WellknownError } from '../errors.ts';

/** A stream socket that is bound and not accepting. */
export interface BoundStream {
  /** Where it is really bound; undefined for a unix socket. */
  readonly bound: { readonly address: string; readonly port: number } | undefined;
  /** What `net.Server.listen` takes, and what a message to a worker may carry. */
  readonly handle: net.Socket;
  /** The number in this process, for programs that inherit it. */
  readonly descriptor: number;
  close(): void;
}

/**
 * Where to bind: an IP address and port, a path (an abstract name begins with NUL), or a socket that is bound already.
 */
export type BindTarget =
  | { readonly address: string; readonly port: number; readonly reusePort?: boolean }
  | { readonly path: string }
  | { readonly descriptor: number };

interface SocketName {
  readonly address?: string;
  readonly port?: number;
}
/** A handle as Node's own code has it, in the parts that are used here. */
export interface RawHandle {
  readonly fd: number;
  getsockname?(out: object): number;
  setNoDelay?(on: boolean): number;
  listen?(backlog: number): number;
  onconnection?: (code: number, handle: object | undefined) => void;
  close(): void;
}
type CreateServerHandle = (
  address: string | null,
  port: number,
  addressType: number,
  fd?: number,
  flags?: number,
) => RawHandle | number;
interface BoundSocketInstance {
  address(): { readonly address: string; readonly port: number } | string;
  fd(): number;
  close(): void;
}
type BoundSocketConstructor = new (options: object) => BoundSocketInstance;

const internals = net as unknown as {
  readonly BoundSocket?: BoundSocketConstructor;
  readonly _createServerHandle?: CreateServerHandle;
};

const [nodeMajor = 0, nodeMinor = 0] = process.versions.node.split('.').map(Number);

/**
 * Whether several sockets may share one address with SO_REUSEPORT here, each with a queue of its own (libuv 1.49;
 * Linux).
 */
export const offersReusePort =
  process.platform === 'linux' && (nodeMajor > 22 || (nodeMajor === 22 && nodeMinor >= 12));

// The flag of uv_tcp_bind.
const UV_TCP_REUSEPORT = 2;

/**
 * Binds in the kernel now, so that an address in use is reported before any worker is forked. Throws an errno error.
 */
export function bindStream(target: BindTarget): BoundStream {
  // BoundSocket learnt `path` later than `host`; unix and inherited sockets keep to the older way.
  if (internals.BoundSocket !== undefined && 'address' in target) {
    const socket = new internals.BoundSocket({
      host: target.address,
      port: target.port,
      reusePort: target.reusePort === true,
    });
    const bound = socket.address();
    const descriptor = socket.fd();
    const handle = new net.Socket({ handle: socket } as net.SocketConstructorOpts);
    return {
      bound: typeof bound === 'string' ? undefined : bound,
      handle,
      descriptor,
      close: () => void handle.destroy(),
    };
  }
  const create = internals._createServerHandle;
  if (create === undefined) {
    throw new WellknownError(
      'UNSUPPORTED',
      `Node ${process.version} offers no way to bind a socket without accepting from it`,
      {
        fault: 'system',
        hint: 'use --workers 0, or a Node version that the README names',
      },
    );
  }
  const { raw, name } = bindRaw(create, target);
  const bound =
    name.address === undefined || name.port === undefined ? undefined : { address: name.address, port: name.port };
  return { bound, handle: raw as unknown as net.Socket, descriptor: raw.fd, close: () => raw.close() };
}

function bindRaw(
  create: CreateServerHandle,
  target: BindTarget,
): { readonly raw: RawHandle; readonly name: SocketName } {
  const raw = createRaw(create, target);
  if (typeof raw === 'number') throw errnoError(raw);
  const name: SocketName = {};
  // libuv keeps EADDRINUSE back at bind and reports it here.
  const code = raw.getsockname?.(name) ?? 0;
  if (code === 0) return { raw, name };
  raw.close();
  throw errnoError(code);
}

/** A port that is listened on without a net.Server. */
export interface BriefListener {
  readonly port: number;
  close(): void;
}

/**
 * Listens on an address for a moment: for one connection, say. A net.Server costs more than the system calls that it makes
 * (docs/benchmarks.md). The sockets are half-open, unread, and with TCP_NODELAY. Undefined where Node offers no way; throws
 * an errno error.
 */
export function listenBriefly(
  target: { readonly address: string; readonly port: number },
  backlog: number,
  events: { readonly accepted: (socket: net.Socket) => void; readonly failed: (error: Error) => void },
): BriefListener | undefined {
  const create = internals._createServerHandle;
  if (create === undefined) return undefined;
  const { raw, name } = bindRaw(create, target);
  if (raw.listen === undefined || name.port === undefined) {
    raw.close();
    return undefined;
  }
  raw.onconnection = (code, handle) => {
    if (code < 0 || handle === undefined) events.failed(errnoError(code));
    else events.accepted(new net.Socket({ handle, allowHalfOpen: true, pauseOnCreate: true } as SocketOptions));
  };
  // Inherited by what is accepted.
  raw.setNoDelay?.(true);
  const code = raw.listen(backlog);
  if (code === 0) return { port: name.port, close: () => raw.close() };
  raw.close();
  throw errnoError(code);
}

type SocketOptions = net.SocketConstructorOpts & { readonly handle: object; readonly pauseOnCreate: boolean };

function createRaw(create: CreateServerHandle, target: BindTarget): RawHandle | number {
  if ('descriptor' in target) return create(null, 0, -1, target.descriptor);
  if ('path' in target) return create(target.path, -1, -1);
  return create(
    target.address,
    target.port,
    target.address.includes(':') ? 6 : 4,
    undefined,
    target.reusePort === true ? UV_TCP_REUSEPORT : 0,
  );
}

interface ListeningInternals {
  _handle: unknown;
  _listen2?: (address: null, port: number, addressType: number, backlog: number) => void;
}

/** Lets `server` accept from a bound stream socket. Emits 'listening' or 'error', as `net.Server.listen` does. */
export function listenOnHandle(server: net.Server, handle: net.Socket, backlog: number): void {
  const parts = server as unknown as ListeningInternals;
  // A worker's net.Server takes a pipe for a number in the primary's table of file descriptors, and asks the primary to
  // accept from it. Set by hand, the handle is used as it is.
  if (handle.constructor.name === 'Pipe' && parts._listen2 !== undefined) {
    parts._handle = handle;
    parts._listen2(null, -1, -1, backlog);
    return;
  }
  server.listen(handle, backlog);
}

function errnoError(code: number): NodeJS.ErrnoException {
  const name = getSystemErrorName(code);
  return Object.assign(new Error(`bind: ${name}`), { code: name, errno: code });
}

/**
 * Drops a socket at once, with what is queued; the peer of a TCP one sees a reset. Node's own `resetAndDestroy` would
 * wait for the queue, and refuses what is not TCP. There, and where Node has it no more, it is an ordinary end.
 */
export function resetSocket(socket: net.Socket): void {
  interface Resettable {
    readonly _handle?: { readonly reset?: unknown } | null;
    /** The socket beneath TLS, which destroys it with itself. */
    readonly _parent?: Resettable | null;
    resetAndClosing?: boolean;
  }
  const internal = socket as unknown as Resettable;
  const carrier = internal._parent ?? internal;
  // libuv refuses a reset while a shutdown is under way, and Node would lose the handle. Nothing is unsent then.
  const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (!isShuttingDown && typeof carrier._handle?.reset === 'function') carrier.resetAndClosing = true;
  socket.destroy();
}

/** The number of an accepted socket's descriptor; -1 where Node does not tell. */
export function descriptorOf(socket: net.Socket): number {
  return (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
}

/**
 * The bytes that the kernel has taken of what was written to a socket, also of a write that is under way: Node itself
 * tells only of whole ones. Undefined where it does not say. Of TLS the bytes are those before encryption, and the
 * number is right to within what one write of records holds.
 */
export function takenBytes(socket: net.Socket): number | undefined {
  const handle = (
    socket as unknown as {
      readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
    }
  )._handle;
  const { bytesWritten, writeQueueSize } = handle ?? {};
  return typeof bytesWritten === 'number' && typeof writeQueueSize === 'number'
    ? bytesWritten - writeQueueSize
    : undefined;
}

interface SocketOptionsHandle {
  setNoDelay?: (on: boolean) => number;
  setKeepAlive?: (on: boolean, delaySeconds: number) => number;
}

const handleOfServer = (server: net.Server): SocketOptionsHandle | null =>
  (server as unknown as { readonly _handle?: SocketOptionsHandle | null })._handle ?? null;

/**
 * Sets TCP_NODELAY on a listening socket. On Linux every connection accepted from it inherits that, which saves a
 * system call for each. False where it can't be done; true for a unix socket, which needs none.
 */
export function setNoDelayForAll(server: net.Server): boolean {
  const handle = handleOfServer(server);
  if (handle?.constructor.name === 'Pipe') return true;
  return process.platform === 'linux' && handle?.setNoDelay?.(true) === 0;
}

/** The same for SO_KEEPALIVE after so much silence; 0 switches it off, on a socket that another process had it on. */
export function setKeepAliveForAll(server: net.Server, silenceMs: number): boolean {
  const handle = handleOfServer(server);
  if (handle?.constructor.name === 'Pipe') return true;
  const seconds = Math.max(1, Math.round(silenceMs / 1000));
  return process.platform === 'linux' && handle?.setKeepAlive?.(silenceMs > 0, seconds) === 0;
}
