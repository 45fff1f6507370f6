// Datagram sockets beyond what node:dgram offers: the descriptor, sending without a callback, holding a socket without
// receiving from it. All by the handle behind a dgram.Socket, which is undocumented: where it is missing, the socket
// works more slowly, or a clear error says what can't be done.

import dgram from 'node:dgram';
import { literalLookup } from '../address/literal-lookup.ts';
import { WellknownError } from '../errors.ts';

interface SocketOptions {
  /** Of an IPv6 socket on all addresses: takes IPv4 too. */
  readonly dualStack: boolean;
  /**
   * Lets several sockets share the address, each with a queue of its own (Node 22.12 and 23.1; older ones ignore it).
   */
  readonly reusePort?: boolean;
}

/** An unbound socket with the settings that every datagram service needs. */
export function createDatagramSocket(
  family: 'udp4' | 'udp6',
  { dualStack, reusePort = false }: SocketOptions,
): dgram.Socket {
  // Not in the types of Node 20, where it does nothing.
  const options: dgram.SocketOptions & { readonly reusePort: boolean } = {
    type: family,
    ipv6Only: family === 'udp6' && !dualStack,
    lookup: literalLookup,
    reusePort,
  };
  return dgram.createSocket(options);
}

interface RawDatagramHandle {
  readonly fd: number;
  recvStop?(): number;
  recvStart?(): number;
  lookup?: (address: string, done: (error: Error | null, address: string, family: number) => void) => void;
  send?: (
    this: RawDatagramHandle,
    request: RawSendRequest,
    list: readonly Uint8Array[],
    count: number,
    port: number,
    address: string,
    wantsCallback: boolean,
  ) => number;
}

interface RawSendRequest {
  list?: readonly Uint8Array[];
  readonly constructor: unknown;
}

function rawDatagramHandle(socket: dgram.Socket): RawDatagramHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find((candidate) => candidate.description === 'state symbol');
  return symbol === undefined
    ? undefined
    : (socket as unknown as Record<symbol, { readonly handle?: RawDatagramHandle }>)[symbol]?.handle;
}

/** The number of a datagram socket in this process, for programs that inherit it; -1 where Node does not tell. */
export const datagramDescriptor = (socket: dgram.Socket): number => rawDatagramHandle(socket)?.fd ?? -1;

/**
 * Keeps a datagram socket that only sends to literal addresses from asking the resolver about them, which costs a tick
 * for each datagram. A socket that came from another process has no `lookup` option. Where Node keeps it elsewhere the
 * socket works, only slower.
 */
export function resolveNothing(socket: dgram.Socket): void {
  const handle = rawDatagramHandle(socket);
  if (typeof handle?.lookup !== 'function') return;
  const family = socket.address().family === 'IPv6' ? 6 : 4;
  handle.lookup = (address, done) => done(null, address || (family === 6 ? '::1' : '127.0.0.1'), family);
}

/**
 * Sends without asking or waiting. More than 0: handed to the kernel. 0: libuv keeps it until there is room. Less: the
 * kernel's refusal.
 */
export type DirectSend = (message: Uint8Array, port: number, address: string) => number;

/**
 * A way to send that tells at once what became of the datagram, and costs half of `dgram.Socket.send`. The handle wants
 * a request object of a class that Node does not export: the first ordinary send is watched for one. Until then it is
 * `undefined` and the ordinary send is the way. The handle asserts what it is given: the caller has checked that it is
 * bytes, a port from 1 and a string.
 */
export function createDirectSend(socket: dgram.Socket): { readonly send: DirectSend | undefined } {
  const handle = rawDatagramHandle(socket);
  const native = handle?.send;
  const learned: { send: DirectSend | undefined } = { send: undefined };
  if (handle === undefined || typeof native !== 'function') return learned;
  handle.send = (first, ...rest) => {
    handle.send = native;
    const Request = first.constructor;
    if (typeof Request === 'function' && Request !== Object)
      learned.send = directSend(handle, native, Request as new () => RawSendRequest);
    return native.call(handle, first, ...rest);
  };
  return learned;
}

function directSend(
  handle: RawDatagramHandle,
  native: NonNullable<RawDatagramHandle['send']>,
  Request: new () => RawSendRequest,
): DirectSend {
  let request = new Request();
  return (message, port, address) => {
    const list = [message];
    // Kept alive with the request, should libuv keep it.
    request.list = list;
    const result = native.call(handle, request, list, 1, port, address, false);
    if (result === 0) request = new Request();
    return result;
  };
}

/** Stops a bound datagram socket from taking what arrives, so that only the workers it is assigned to receive. */
export function stopReceiving(socket: dgram.Socket): void {
  const handle = rawDatagramHandle(socket);
  if (handle?.recvStop === undefined) {
    throw new WellknownError(
      'UNSUPPORTED',
      `Node ${process.version} offers no way to hand a datagram socket to a worker`,
      {
        fault: 'system',
        hint: 'use --workers 0',
      },
    );
  }
  handle.recvStop();
}

/** Undoes `stopReceiving`. What came meanwhile has waited in the kernel. */
export const receiveAgain = (socket: dgram.Socket): void => void rawDatagramHandle(socket)?.recvStart?.();
