// One buffer for what is read from all sockets of this process, plain or with TLS from their first byte on.
//
// By default libuv asks Node for 64 KiB of new memory for every read, however little comes, and the bytes then pass
// through the whole of a Readable. A client's socket may bring a buffer of its own instead (`onread` of net.connect);
// for accepted sockets Node has the same machinery and no option. Since the callbacks are synchronous and copy what
// came (`takeChunk`), one buffer serves all. It saves a seventh of the CPU time of a small HTTP exchange
// (docs/benchmarks.md).
//
// A socket whose reads are large would pay for the copy, so it reads into a buffer of its own as long as they are: what
// came is given away with the buffer, and a new one takes its place (`onread` with a function for its buffer). TLS reads a
// record at a time, and four of them share one. Few may at a time, since between reads such a buffer is held for nothing.
//
// Undocumented, therefore guarded: where a part is missing, or bytes came before, the caller listens for 'data'.

import type net from 'node:net';

/** Called with what was read; only the first `byteLength` bytes of `buffer` are meant, and only until it returns. */
export type ReadInto = (this: net.Socket, byteLength: number, buffer: Buffer) => void;

interface ReadParts {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}
interface RawHandle {
  readonly reading?: boolean;
  useUserBuffer?(buffer: Buffer): void;
}

// What libuv reads at most at once, and what TLS does: a record (RFC 8446 §5.1).
const SHARED_BYTES = 65_536;
const RECORD_BYTES = 16_384;
// From here on the copy costs more than a new buffer, and little of a buffer that is given away is empty.
const LARGE_SHARE = 0.75;
// 4 MiB in all.
const MAX_OWN_BUFFERS = 64;

const maxReadBytes = (socket: net.Socket): number => ('encrypted' in socket ? RECORD_BYTES : SHARED_BYTES);

/** Chunks that were given away without a copy, and did not come back yet. */
const givenAway = new WeakSet<Uint8Array>();
/** How many such chunks a buffer is in, and the socket that reads into it. */
const users = new WeakMap<ArrayBufferLike, number>();
/** Buffers without users: every one that is left to the garbage collector has it mark all of the heap. */
const spare: Buffer[] = [];
const MAX_SPARE = MAX_OWN_BUFFERS;

function ownBuffer(): Buffer {
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(SHARED_BYTES);
  users.set(buffer.buffer, 1);
  return buffer;
}

function release(buffer: ArrayBufferLike): void {
  const left = (users.get(buffer) ?? 0) - 1;
  users.set(buffer, left);
  if (left === 0 && spare.length < MAX_SPARE) spare.push(Buffer.from(buffer));
}

/**
 * Takes back what `takeChunk` has given, when nobody holds it any more: later reads go into it. What did not come in a
 * buffer of its own is passed over, and so is what has come back already.
 */
export function giveBackChunk(chunk: Uint8Array): void {
  if (givenAway.delete(chunk)) release(chunk.buffer);
}

/** Sockets that read into a buffer of their own. */
const owners = new Set<net.Socket>();
/** What the socket that is being read goes on with, where that is another buffer. */
let next: Buffer | undefined;

let shared: Buffer | undefined;
let parts: ReadParts | 'missing' | undefined;

function partsOf(socket: net.Socket): ReadParts | 'missing' {
  const named = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  const generator = named('kBufferGen');
  return buffer === undefined || callback === undefined || generator === undefined
    ? 'missing'
    : { buffer, callback, generator };
}

/**
 * Reads this socket through the shared buffer from here on. False, and nothing is changed, where Node offers no way or
 * bytes have come already. Of a socket with TLS it is what was decrypted.
 */
export function readThroughSharedBuffer(socket: net.Socket, readInto: ReadInto): boolean {
  parts ??= partsOf(socket);
  const { _handle: handle } = socket as unknown as { readonly _handle?: RawHandle | null };
  if (parts === 'missing' || typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES);
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[parts.buffer] = shared;
  slots[parts.callback] = readInto;
  slots[parts.generator] = nextBuffer;
  handle.useUserBuffer(shared);
  // An accepted socket reads at once, unless it was made paused or has been paused since.
  if (handle.reading !== true || socket.isPaused()) socket.resume();
  return true;
}

/** Node asks after each read. */
function nextBuffer(): Buffer | undefined {
  const buffer = next;
  next = undefined;
  return buffer;
}

/**
 * What was read, for the receiver to keep. Every `ReadInto` takes it, once: a buffer that was given away must not be
 * read into again.
 */
export function takeChunk(socket: net.Socket, byteLength: number, buffer: Buffer): Buffer {
  const maxBytes = maxReadBytes(socket);
  const isLarge = byteLength >= maxBytes * LARGE_SHARE;
  if (isLarge && buffer !== shared) {
    const chunk = buffer.subarray(0, byteLength);
    givenAway.add(chunk);
    // Where there is room for another, it stays the socket's too.
    if (buffer.length - byteLength >= maxBytes) {
      next = buffer.subarray(byteLength);
      users.set(buffer.buffer, (users.get(buffer.buffer) ?? 0) + 1);
    } else next = ownBuffer();
    return chunk;
  }
  if (isLarge && owners.size < MAX_OWN_BUFFERS) {
    owners.add(socket);
    next = ownBuffer();
  } else if (buffer !== shared) {
    owners.delete(socket);
    next = shared;
    // For others, in a later read.
    release(buffer.buffer);
  }
  const chunk = Buffer.allocUnsafe(byteLength);
  buffer.copy(chunk, 0, 0, byteLength);
  return chunk;
}

/** A socket is not read by here any more: another may have a buffer of its own. */
export function forgetReads(socket: net.Socket): void {
  if (owners.size > 0) owners.delete(socket);
}
