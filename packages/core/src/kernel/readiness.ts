// Waiting at a socket without taking from it, as poll(2) does: for a program that accepts or receives by itself
// (inetd/wait-server.ts).
//
// Node offers no such thing. libuv polls a descriptor before it reads, and does not read into an empty buffer: a stream
// handle that is given one tells that something is there and leaves it. The access is undocumented and guarded, as in
// kernel/stream-handle.ts.

import { closeSync, openSync } from 'node:fs';
import type dgram from 'node:dgram';
import type net from 'node:net';
import { WellknownError } from '../errors.ts';
import { datagramDescriptor, stopReceiving } from './datagram-handle.ts';
import { bindStream, type RawHandle } from './stream-handle.ts';

/**
 * Tells when something waits at a socket: a connection that has not been accepted, or a datagram that has not been
 * received. Takes neither.
 */
export interface ReadinessWatch {
  /** Calls back once, in a later turn of the event loop, and looks no more until it is called again. */
  once(onReady: () => void): void;
  /** The callback is not called any more. */
  stop(): void;
  /** Stops, and closes the socket by `closeSocket`. */
  close(closeSocket: () => Promise<void>): Promise<void>;
}

interface RawStreamHandle extends RawHandle {
  open?(descriptor: number): number;
  useUserBuffer?(buffer: Uint8Array): void;
  onread?: () => void;
  readStart?(): number;
  readStop?(): number;
}

/** Watches a stream socket that listens in the kernel and from which nothing in this process accepts. */
export function watchStream(handle: net.Socket): ReadinessWatch {
  const raw = rawStreamHandle(handle);
  const watch = watchRaw(raw, raw.fd);
  return {
    ...watch,
    close(closeSocket) {
      watch.stop();
      return closeSocket();
    },
  };
}

/** Watches a datagram socket, which receives nothing in this process from now on. */
export function watchDatagrams(socket: dgram.Socket): ReadinessWatch {
  stopReceiving(socket);
  const descriptor = datagramDescriptor(socket);
  // A datagram handle cannot wait without receiving. A stream handle can, and does not ask what it is given. Its class
  // is not exported: it is that of any stream socket, and one is bound for a moment to learn it.
  const probe = bindStream({ address: '127.0.0.1', port: 0 });
  const StreamHandle = rawStreamHandle(probe.handle).constructor as new (type: number) => RawStreamHandle;
  probe.close();
  const raw = new StreamHandle(0);
  return {
    ...watchRaw(raw, descriptor),
    async close(closeSocket) {
      // Two handles have one number, and each closes it. Once the first has, another thread may open a file under that
      // number: so it is taken back before the second one closes it. Where another was faster the second is left, it
      // does nothing any more.
      raw.close();
      if (takeDescriptor(descriptor)) await closeSocket();
    },
  };
}

const rawStreamHandle = (handle: net.Socket): RawStreamHandle =>
  ((handle as unknown as { readonly _handle?: unknown })._handle ?? handle) as RawStreamHandle;

// libuv polls a descriptor, asks for a buffer when it is readable, and gives up (ENOBUFS) without a system call when
// the buffer is empty.
const NO_ROOM = Buffer.alloc(0);

function watchRaw(raw: RawStreamHandle, descriptor: number): Pick<ReadinessWatch, 'once' | 'stop'> {
  // A handle that was bound may not read. Opened with the number that it has already, it may.
  if (
    process.platform === 'win32' ||
    raw.open === undefined ||
    raw.useUserBuffer === undefined ||
    raw.open(descriptor) < 0
  )
    throw cannotWatch();
  raw.useUserBuffer(NO_ROOM);
  const stop = (): void => void raw.readStop?.();
  return {
    once(onReady) {
      raw.onread = () => {
        stop();
        onReady();
      };
      if ((raw.readStart?.() ?? -1) < 0) throw cannotWatch();
    },
    stop,
  };
}

const cannotWatch = (): WellknownError =>
  new WellknownError(
    'UNSUPPORTED',
    `Node ${process.version} offers no way to wait at a socket without taking from it on ${process.platform}`,
    { fault: 'system', hint: 'use a program that serves one connection, which needs no waiting (nowait)' },
  );

/** Opens the lowest free numbers up to the given one, and keeps that one. False when it was not free any more. */
function takeDescriptor(descriptor: number): boolean {
  const opened: number[] = [];
  try {
    do opened.push(openSync('/dev/null', 'r'));
    while ((opened.at(-1) ?? 0) < descriptor);
  } catch {
    // No more descriptors: then the number is not ours either.
  }
  for (const other of opened) if (other !== descriptor) closeSync(other);
  return opened.includes(descriptor);
}
