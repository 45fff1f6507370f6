// A stream transport without a socket: a test plays the peer. Everything happens synchronously, in the order it is
// written.

import type { Address } from '../address/address.ts';
import type { Transport, TransportEvents } from '../connection/transport.ts';

/** The far end of a memory transport: what a client would do and see. */
export interface MemoryPeer {
  /** Sends bytes to the server side. While the server has paused, they wait. */
  send(data: string | Uint8Array): void;
  /** Shuts down the peer's writing side. */
  end(): void;
  /** Breaks the connection. */
  reset(): void;
  /** Everything the server side has sent so far, taken out. Strings are latin1. */
  take(): string;
  takeBytes(): Uint8Array;
  /** While false, nothing the server writes is taken: a peer that does not read. */
  reading: boolean;
  /** Takes one chunk of what waits, as a peer does that reads slowly. What it takes is gone. */
  sip(): void;
  /** The server side has shut down its writing side. */
  readonly sawEnd: boolean;
  /** The server side has reset the connection. */
  readonly sawReset: boolean;
  /** The connection is no more, as the server side has seen it. */
  readonly closed: boolean;
}

export interface MemoryTransportOptions {
  readonly local?: Address;
  readonly remote?: Address;
  /** Unsent bytes at which `write` starts to return false. */
  readonly highWaterBytes?: number;
}

const LOCAL: Address = { family: 'ipv4', address: '127.0.0.1', port: 7 };
const REMOTE: Address = { family: 'ipv4', address: '192.0.2.1', port: 50_000 };

const latin1Bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

export function createMemoryTransport(options: MemoryTransportOptions = {}): {
  transport: Transport;
  peer: MemoryPeer;
} {
  const highWaterBytes = options.highWaterBytes ?? 16_384;
  const encoder = new TextEncoder();
  let events: TransportEvents | undefined;
  let paused = false;
  const inbound: Uint8Array[] = [];
  let peerEnded = false;
  let endDelivered = false;
  let reading = true;
  let taken: Uint8Array[] = [];
  let unsent: { readonly bytes: Uint8Array; readonly taken: ((error: Error | undefined) => void) | undefined }[] = [];
  let unsentBytes = 0;
  let sentBytes = 0;
  let owesDrain = false;
  let writeShutdown = false;
  let closed = false;
  let wasReset = false;

  const close = (error?: Error): void => {
    if (closed) return;
    closed = true;
    const lost = unsent;
    unsent = [];
    unsentBytes = 0;
    for (const { taken: notify } of lost)
      notify?.(error ?? new Error('the connection closed before the bytes were sent'));
    events?.closed(error);
  };
  const closeWhenOver = (): void => {
    if (writeShutdown && endDelivered && unsentBytes === 0) close();
  };
  const deliver = (): void => {
    while (events !== undefined && !paused && !closed) {
      const chunk = inbound.shift();
      if (chunk !== undefined) {
        events.data(chunk);
      } else {
        if (peerEnded && !endDelivered) {
          endDelivered = true;
          events.ended();
          closeWhenOver();
        }
        return;
      }
    }
  };
  const flush = (): void => {
    if (!reading || closed) return;
    const leaving = unsent;
    unsent = [];
    unsentBytes = 0;
    for (const { bytes, taken: notify } of leaving) {
      sentBytes += bytes.length;
      taken.push(bytes);
      if (notify !== undefined) queueMicrotask(() => notify(undefined));
    }
    if (owesDrain) {
      owesDrain = false;
      events?.drained();
    }
    closeWhenOver();
  };

  const queue = (bytes: Uint8Array, notify: ((error: Error | undefined) => void) | undefined): boolean => {
    unsent.push({ bytes, taken: notify });
    unsentBytes += bytes.length;
    flush();
    owesDrain = unsentBytes >= highWaterBytes;
    return !owesDrain;
  };

  const transport: Transport = {
    kind: 'memory',
    local: options.local ?? LOCAL,
    remote: options.remote ?? REMOTE,
    get unsentBytes() {
      return unsentBytes;
    },
    get sentBytes() {
      return sentBytes;
    },
    get undeliveredBytes() {
      return inbound.reduce((sum, chunk) => sum + chunk.length, 0);
    },
    start(to) {
      events = to;
      deliver();
    },
    write(data, encoding) {
      if (closed || writeShutdown) return false;
      const bytes =
        typeof data === 'string'
          ? encoding === 'latin1'
            ? latin1Bytes(data)
            : encoder.encode(data)
          : new Uint8Array(data);
      return queue(bytes, undefined);
    },
    writeThen(data, notify) {
      if (closed || writeShutdown) {
        queueMicrotask(() => notify(new Error('the connection is closed for writing')));
        return false;
      }
      return queue(new Uint8Array(data), notify);
    },
    cork: () => undefined,
    uncork: () => undefined,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      deliver();
    },
    shutdownWrite() {
      writeShutdown = true;
      closeWhenOver();
    },
    destroy: () => close(),
    reset() {
      wasReset = true;
      close();
    },
  };

  const peer: MemoryPeer = {
    send(data) {
      if (closed || peerEnded) return;
      inbound.push(typeof data === 'string' ? latin1Bytes(data) : new Uint8Array(data));
      deliver();
    },
    end() {
      peerEnded = true;
      deliver();
    },
    reset: () => close(new Error('the peer reset the connection')),
    take: () => Array.from(peer.takeBytes(), (byte) => String.fromCharCode(byte)).join(''),
    takeBytes() {
      const bytes = concat(taken);
      taken = [];
      return bytes;
    },
    sip() {
      const first = unsent.shift();
      unsentBytes -= first?.bytes.length ?? 0;
      sentBytes += first?.bytes.length ?? 0;
      const notify = first?.taken;
      if (notify !== undefined) queueMicrotask(() => notify(undefined));
    },
    get reading() {
      return reading;
    },
    set reading(value) {
      reading = value;
      flush();
    },
    get sawEnd() {
      return writeShutdown && unsentBytes === 0;
    },
    get sawReset() {
      return wasReset;
    },
    get closed() {
      return closed;
    },
  };
  return { transport, peer };
}
