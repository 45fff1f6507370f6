// Binding without accepting: the sockets that a primary owns for its whole life and lends to its workers.
//
// Node offers this in the open as net.BoundSocket (24.19, 26.4). Before that, the only way is the function that
// node:cluster itself uses, and for datagrams the handle behind a dgram.Socket. All undocumented access of this package is
// in this file, each guarded: where it is missing, a clear error says so.

import type dgram from 'node:dgram';
import net from 'node:net';
import { WellknownError } from './errors.ts';

/** A stream socket that is bound and not accepting. */
export interface BoundStream {
  /** The port that the kernel gave; 0 for a unix socket. */
  readonly port: number;
  /** What `net.Server.listen` takes, and what a message to a worker may carry. */
  readonly handle: net.Socket;
  close(): void;
}

/** Where to bind: an IP address and port, or a path (an abstract name begins with NUL). */
export type BindTarget = { readonly address: string; readonly port: number } | { readonly path: string };

interface RawHandle {
  getsockname?(out: { port?: number }): number;
  close(): void;
}
type CreateServerHandle = (address: string, port: number, addressType: number, fd?: number, flags?: number) => RawHandle | number;
interface BoundSocketInstance {
  address(): { readonly port: number } | string;
  close(): void;
}
type BoundSocketConstructor = new (options: object) => BoundSocketInstance;

const internals = net as unknown as { readonly BoundSocket?: BoundSocketConstructor; readonly _createServerHandle?: CreateServerHandle };

/** Binds in the kernel now, so that an address in use is reported before any worker is forked. Throws an errno error. */
export function bindStream(target: BindTarget): BoundStream {
  // BoundSocket learnt `path` later than `host`; unix sockets keep to the older way.
  if (internals.BoundSocket !== undefined && 'address' in target) {
    const bound = new internals.BoundSocket({ host: target.address, port: target.port });
    const address = bound.address();
    const handle = new net.Socket({ handle: bound } as net.SocketConstructorOpts);
    return { port: typeof address === 'string' ? 0 : address.port, handle, close: () => void handle.destroy() };
  }
  const create = internals._createServerHandle;
  if (create === undefined) {
    throw new WellknownError('UNSUPPORTED', `Node ${process.version} offers no way to bind a socket without accepting from it`, {
      fault: 'system',
      hint: 'use --workers 0, or a Node version that the README names',
    });
  }
  const raw = 'address' in target ? create(target.address, target.port, target.address.includes(':') ? 6 : 4) : create(target.path, -1, -1);
  if (typeof raw === 'number') throw errnoError(raw);
  const name: { port?: number } = {};
  // libuv keeps EADDRINUSE back at bind and reports it here.
  const code = raw.getsockname?.(name) ?? 0;
  if (code < 0) {
    raw.close();
    throw errnoError(code);
  }
  return { port: name.port ?? 0, handle: raw as unknown as net.Socket, close: () => raw.close() };
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

const ERRNO_NAMES: Readonly<Record<number, string>> = { [-98]: 'EADDRINUSE', [-99]: 'EADDRNOTAVAIL', [-13]: 'EACCES', [-22]: 'EINVAL', [-97]: 'EAFNOSUPPORT', [-2]: 'ENOENT' };

function errnoError(code: number): NodeJS.ErrnoException {
  const name = ERRNO_NAMES[code] ?? `errno ${-code}`;
  return Object.assign(new Error(`bind: ${name}`), { code: name, errno: code });
}

interface RawDatagramHandle {
  recvStop?(): number;
}

/** Stops a bound datagram socket from taking what arrives, so that only the workers it was lent to receive. */
export function stopReceiving(socket: dgram.Socket): void {
  const symbol = Object.getOwnPropertySymbols(socket).find((candidate) => candidate.description === 'state symbol');
  const state = symbol === undefined ? undefined : (socket as unknown as Record<symbol, { readonly handle?: RawDatagramHandle }>)[symbol];
  const handle = state?.handle;
  if (handle?.recvStop === undefined) {
    throw new WellknownError('UNSUPPORTED', `Node ${process.version} offers no way to lend a datagram socket`, { fault: 'system', hint: 'use --workers 0' });
  }
  handle.recvStop();
}
