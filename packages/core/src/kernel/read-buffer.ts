// One buffer for what is read from all plain sockets of this process.
//
// By default libuv asks Node for 64 KiB of new memory for every read, however little comes, and the bytes then pass
// through the whole of a Readable. A client's socket may bring a buffer of its own instead (`onread` of net.connect);
// for accepted sockets Node has the same machinery and no option. Since the callbacks are synchronous and copy what
// came (`takeChunk`), one buffer serves all. It saves a seventh of the CPU time of a small HTTP exchange
// (docs/benchmarks.md).
//
// A socket whose reads are large would pay for the copy, so it reads into a buffer of its own as long as they are: what
// came is given away with the buffer, and a new one takes its place (`onread` with a function for its buffer). Few may
// at a time, since between reads such a buffer is held for nothing.
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

// What libuv reads at most at once.
const SHARED_BYTES = 65_536;
// From here on the copy costs more than a new buffer, and little of a buffer that is given away is empty.
const LARGE_BYTES = 49_152;
// 4 MiB in all.
const MAX_OWN_BUFFERS = 64;

/**
 * Buffers that were given away, and those of them that came back: every one that is left to the garbage collector has it
 * mark all of the heap.
 */
const givenAway = new WeakSet<ArrayBufferLike>();
const spare: Buffer[] = [];
const MAX_SPARE = MAX_OWN_BUFFERS;

const ownBuffer = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(SHARED_BYTES);

/**
 * Takes back what `takeChunk` has given, when nobody holds it any more: later reads go into it. What did not come with a
 * buffer of its own is passed over, and so is what has come back already.
 */
export function giveBackChunk({ buffer }: Uint8Array): void {
  if (givenAway.delete(buffer) && spare.length < MAX_SPARE) spare.push(Buffer.from(buffer));
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
 * bytes have come already. For plain sockets; what is read by TLS on top of one never comes by here.
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
  const isLarge = byteLength >= LARGE_BYTES;
  if (isLarge && buffer !== shared) {
    next = ownBuffer();
    givenAway.add(buffer.buffer);
    return buffer.subarray(0, byteLength);
  }
  if (isLarge && owners.size < MAX_OWN_BUFFERS) {
    owners.add(socket);
    next = ownBuffer();
  } else if (buffer !== shared) {
    owners.delete(socket);
    next = shared;
  }
  const chunk = Buffer.allocUnsafe(byteLength);
  buffer.copy(chunk, 0, 0, byteLength);
  return chunk;
}

/** A socket is not read by here any more: another may have a buffer of its own. */
export function forgetReads(socket: net.Socket): void {
  if (owners.size > 0) owners.delete(socket);
}
