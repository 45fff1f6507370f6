// A connection that a handler has taken over, as the stream and the request that libraries for node:http expect.

import type http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { lateBuiltin, type Connection } from '@wellknown/core';
import { ConnectionStream, MAX_UNSENT_BYTES } from '../exchange/connection-stream.ts';
import { readFields } from '../semantics/fields.ts';
import type { UpgradedConnection } from '../handler.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { responseOf } from '../fetch/response.ts';

/**
 * Replaces the connection's sink. `head` are bytes that came after the request. `summary` is what the connection is said
 * to be doing from now on. `failed` is told what a listener of the handler throws, or rejects with: it ends this
 * connection and nothing else.
 */
export function upgradeConnection(
  connection: Connection,
  request: RequestHead,
  head: Uint8Array,
  summary: string,
  failed: (error: unknown) => void,
): UpgradedConnection {
  const stream = new UpgradedStream(connection, failed);
  // The connection's own idle limit goes on; deadlines were for requests.
  connection.setDeadline(0);
  connection.attach(stream.sink);
  connection.doing = summary;
  stream.begin(head);
  const placeholder: unknown = responseOf(null);
  return { stream, head: Buffer.alloc(0), incoming: incomingOf(request, stream), response: placeholder as Response };
}

// What an async listener rejects with is told to the stream.
const OPTIONS = { captureRejections: true, allowHalfOpen: true };

type Done = (error?: Error) => void;

/** The bytes of a connection, for code of others: whatever its listeners do or lack, no more than the connection ends. */
class UpgradedStream extends ConnectionStream {
  readonly #connection: Connection;
  readonly #failed: (error: unknown) => void;
  /** Tells a write that its bytes will not be sent. */
  #cutOff: (() => void) | undefined;

  constructor(connection: Connection, failed: (error: unknown) => void) {
    super(connection, OPTIONS);
    this.#connection = connection;
    this.#failed = failed;
    // Without a listener an error ends the process. That the peer is gone is no fault of anybody here.
    this.on('error', () => undefined);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    try {
      return super.emit(event, ...args);
    } catch (error) {
      this.#failed(error);
      this.destroy();
      return true;
    }
  }

  // As with a socket, what was written is the writer's again once its callback is called: the system has the bytes.

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#writeFrom([{ chunk }], 0, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#writeFrom(chunks, 0, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    super._destroy(error, (failure) => {
      this.#cutOff?.();
      this.#cutOff = undefined;
      done(failure);
    });
  }

  #writeFrom(chunks: readonly { readonly chunk: Buffer }[], from: number, done: Done): void {
    let at = from;
    // One more than are under way, until the last of this turn is.
    let waiting = 1;
    let failure: Error | undefined;
    const taken = (error?: Error): void => {
      failure ??= error;
      waiting -= 1;
      if (waiting > 0) return;
      // That the peer is gone is told by the end of the connection, which knows why.
      if (failure !== undefined) this.#cutOff = () => done(failure);
      else if (at >= chunks.length) done();
      else this.#writeFrom(chunks, at, done);
    };
    this.#connection.cork();
    do {
      waiting += 1;
      this.#connection.sendThen(chunks[at]?.chunk ?? Buffer.alloc(0), taken);
      at += 1;
    } while (at < chunks.length && this.#connection.unsentBytes < MAX_UNSENT_BYTES);
    this.#connection.uncork();
    taken();
  }

  [Symbol.for('nodejs.rejection')](error: unknown): void {
    this.#failed(error);
    this.destroy();
  }
}

const nodeHttp = lateBuiltin('node:http');

function incomingOf(request: RequestHead, stream: Duplex): http.IncomingMessage {
  // The class asks for a socket and uses only what every stream has.
  const socket: unknown = stream;
  const incoming = new (nodeHttp().IncomingMessage)(socket as Socket);
  incoming.method = request.method;
  incoming.url = request.target;
  incoming.httpVersion = '1.1';
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = 1;
  incoming.complete = true;
  const headers = new Map<string, string>();
  for (const [name, value] of readFields(request.fieldLines)) {
    incoming.rawHeaders.push(name, value);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  // Not assigned one by one: `__proto__` is a name like any other.
  incoming.headers = Object.fromEntries(headers);
  return incoming;
}
