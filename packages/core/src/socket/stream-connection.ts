// The connected half of a stream socket: core's connection, read and written with promises and watched for readiness.

import { abortReason } from '../abort.ts';
import { ConnectionReader } from '../connection/reader.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { TransportConnection } from '../connection/transport-connection.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { SecureInfo } from '../connection/secure-info.ts';
import type { TlsClient, TlsContext } from '../connection/tls-context.ts';
import type { Transport } from '../connection/transport.ts';
import { closedMeanwhile } from './socket-state.ts';

export interface StreamConnectionOptions {
  readonly id: number;
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  /** The peer has ended, or the connection broke. */
  readonly moved: (event: 'read over' | 'broken') => void;
  /** Something that readiness depends on has changed. */
  readonly changed: () => void;
}

/** Taken by the kernel when all is that was written before. */
const NOTHING = new Uint8Array(0);

/** Why a waiting read ends with `undefined` when reading is shut down. */
const READING_IS_SHUT = new Error('reading is shut down');

export class StreamConnection {
  readonly connection: Connection;
  readonly #reader: ConnectionReader;
  readonly #maxUnsentBytes: number;
  /** Why there is nothing more to read on our side. */
  #readOver: Error | undefined;
  /** The peer is slower than the writer. */
  #full = false;
  #broken = false;

  constructor(transport: Transport, options: StreamConnectionOptions) {
    this.#maxUnsentBytes = options.limits.maxUnsentBytes;
    // A single write may be as large as its writer's memory; the limit is for who does not wait (see `write`).
    const limits = { ...options.limits, maxUnsentBytes: Infinity };
    this.connection = new TransportConnection(options.id, transport, {
      wheel: options.wheel,
      limits,
      connectionClosed: () => undefined,
    });
    const reader = new ConnectionReader(this.connection);
    this.#reader = reader;
    this.connection.attach({
      data: (chunk) => {
        reader.data(chunk);
        options.changed();
      },
      ended: () => {
        reader.ended();
        options.moved('read over');
      },
      drained: () => {
        this.#full = false;
        reader.drained();
        options.changed();
      },
      closed: (reason, error) => {
        reader.closed(reason, error);
        this.#broken = true;
        if (reason === 'finished') options.changed();
        else options.moved('broken');
      },
    });
    // An accepted socket was held unread until it was taken.
    this.connection.resume();
  }

  get isReadable(): boolean {
    return this.#readOver !== undefined || this.#reader.isReadable;
  }

  get isWritable(): boolean {
    return !this.#full || this.#broken;
  }

  read(byteLength: number | undefined, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return this.#untilOver(() => this.#reader.read(byteLength, signal));
  }

  readLine(maxLineBytes: number | undefined, signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#untilOver(() => this.#reader.readLine(maxLineBytes, signal));
  }

  /** A read waits: it is the only one that may. */
  get isBeingRead(): boolean {
    return this.#reader.isWaiting;
  }

  /** Who writes does not wait for it: there is more than may wait. */
  get isOverfull(): boolean {
    return this.connection.unsentBytes > this.#maxUnsentBytes;
  }

  async write(data: string | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw abortReason(signal);
    if (this.connection.send(data, 'utf8')) return;
    this.#full = true;
    await this.#reader.room(signal, () => undefined);
  }

  /** Speaks TLS from here on. Bytes that came in clear and were not read are refused. */
  startTls(context: TlsContext | TlsClient): Promise<SecureInfo> {
    return this.connection.startTls({ context, unreadBytes: this.#reader.unreadBytes });
  }

  /** Reads from now on give `undefined`; what comes is discarded. */
  shutdownRead(): void {
    this.connection.shutdown('read');
    this.#endReading(READING_IS_SHUT);
  }

  shutdownWrite(): void {
    this.connection.shutdown('write');
  }

  /**
   * Resolves when the kernel has all that was written. The peer's own end is awaited in the background, within the
   * linger limits.
   */
  async close(): Promise<void> {
    this.#endReading(closedMeanwhile('read'));
    if (this.connection.unsentBytes === 0) {
      this.connection.end();
      return;
    }
    const left = new Promise<Error | undefined>((resolve) => this.connection.sendThen(NOTHING, resolve));
    this.connection.end();
    // Where our side had ended before, nothing can be put behind what waits.
    if ((await left) !== undefined) await this.connection.closed;
  }

  /** Drops the connection with what was not sent. */
  destroy(): void {
    this.#endReading(closedMeanwhile('read'));
    this.connection.destroy();
  }

  /** The same, and the peer sees a reset, where its transport has one. */
  reset(): void {
    this.#endReading(closedMeanwhile('read'));
    this.connection.reset();
  }

  #endReading(reason: Error): void {
    this.#readOver ??= reason;
    this.#reader.interrupt(reason);
  }

  async #untilOver<Value>(read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    try {
      if (this.#readOver !== undefined) throw this.#readOver;
      return await read();
    } catch (error) {
      if (error === READING_IS_SHUT) return undefined;
      throw error;
    }
  }
}
