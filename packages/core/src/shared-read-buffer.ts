// One buffer for what is read from all plain sockets of this process.
//
// By default libuv asks Node for 64 KiB of new memory for every read, however little comes, and the bytes then pass through the
// whole of a Readable. A client's socket may bring a buffer of its own instead (`onread` of net.connect); for accepted sockets
// Node has the same machinery and no option. Since the callbacks are synchronous and copy what came, one buffer serves all.
// It saves a seventh of the CPU time of a small HTTP exchange (docs/benchmarks.md).
//
// Undocumented, therefore guarded: where a part is missing, or bytes came before, the caller listens for 'data'.

import type net from 'node:net';

/** Called with what was read; only the first `byteLength` bytes of `buffer` are meant, and only until it returns. */
export type ReadInto = (this: net.Socket, byteLength: number, buffer: Buffer) => void;

interface ReadParts {
  readonly buffer: symbol;
  readonly callback: symbol;
}
interface RawHandle {
  readonly reading?: boolean;
  useUserBuffer?(buffer: Buffer): void;
}

// What libuv reads at most at once.
const SHARED_BYTES = 65_536;

let shared: Buffer | undefined;
let parts: ReadParts | 'missing' | undefined;

function partsOf(socket: net.Socket): ReadParts | 'missing' {
  const named = (name: string): symbol | undefined => Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  return buffer === undefined || callback === undefined ? 'missing' : { buffer, callback };
}

/**
 * Reads this socket through the shared buffer from here on. False, and nothing is changed, where Node offers no way or bytes
 * have come already. For plain sockets; what is read by TLS on top of one never comes by here.
 */
export function readThroughSharedBuffer(socket: net.Socket, readInto: ReadInto): boolean {
  parts ??= partsOf(socket);
  const { _handle: handle } = socket as unknown as { readonly _handle?: RawHandle | null };
  if (parts === 'missing' || typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES);
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[parts.buffer] = shared;
  slots[parts.callback] = readInto;
  handle.useUserBuffer(shared);
  // An accepted socket reads at once, unless it was made paused or has been paused since.
  if (handle.reading !== true || socket.isPaused()) socket.resume();
  return true;
}
