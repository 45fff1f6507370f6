// One stream connection: states, reasons, deadlines, back-pressure and the lingering close, over any transport.
//
// Two doors. The hot one: `attach` a sink, get bytes pushed in, `send` bytes out; no promise and no stream in between.
// The comfortable one (`read`, `readLine`, `for await`, `write`) is built on the first, in connection-reader.ts.
// All deadlines share one wheel entry: activity only stores a number, and the entry finds out when it fires.

import type { Address } from './address.ts';
import { ConnectionReader } from './connection-reader.ts';
import { CONNECTION_TRANSITIONS, type CloseReason, type ConnectionEvent, type ConnectionState } from './connection-state.ts';
import { WellknownError } from './errors.ts';
import { createWheelEntry, type TimerWheel, type WheelEntry } from './timer-wheel.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** What a protocol attaches to a connection to get its bytes. Only `data` is needed. */
export interface Sink {
  /** Bytes from the peer. The buffer is only valid during the call: copy what you keep. */
  data(chunk: Uint8Array): void;
  /** The peer will send no more. Without this method the connection is ended. */
  ended?(): void;
  /** There is room again after `send` returned false. */
  drained?(): void;
  /** The deadline set by `setDeadline` has passed. Without this method the connection is destroyed. */
  deadline?(): void;
  /** The server is draining: finish what is in flight, then end. Without this method the connection may go on to the drain deadline. */
  drain?(): void;
  /** The connection is no more. Called exactly once, last. */
  closed?(reason: CloseReason, error: Error | undefined): void;
}

export interface ConnectionLimits {
  /** Without a byte in either direction for this long, the connection ends. 0: never. */
  readonly idleTimeoutMs: number;
  /** A peer that takes nothing of what was written for this long is cut off. 0: never. */
  readonly writeTimeoutMs: number;
  /** After our last word, so long the peer may take to close. */
  readonly lingerTimeoutMs: number;
  /** After our last word, so many bytes are read and discarded. */
  readonly lingerBytes: number;
  /** More unsent bytes than this mean that a protocol writes without looking back: the connection is cut. */
  readonly maxUnsentBytes: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  // No protocol here has a shorter legitimate silence than FTP's five minutes (RFC 1123 §4.1.3.2).
  idleTimeoutMs: 300_000,
  // A TCP stack that is alive acknowledges a window probe well within this.
  writeTimeoutMs: 30_000,
  // Apache lingers 2 s, nginx 5 s between reads; a peer on a slow line needs about one round trip.
  lingerTimeoutMs: 2_000,
  // What a peer can have in flight on an ordinary connection.
  lingerBytes: 65_536,
  // The size at which a peer that never reads is a danger to memory and not merely slow.
  maxUnsentBytes: 16 * 1024 * 1024,
};

/** What a connection reports to its owner, the registry of its server. */
export interface ConnectionOwner {
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  connectionClosed(connection: Connection): void;
}

export class Connection {
  /** Unique in this process. */
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly #transport: Transport;
  readonly #owner: ConnectionOwner;
  readonly #entry: WheelEntry;
  #state: ConnectionState = 'accepted';
  #reason: CloseReason | undefined;
  #error: Error | undefined;
  #sink: Sink | undefined;
  #reader: ConnectionReader | undefined;
  #draining = false;
  #discardsInput = false;
  #receivedBytes = 0;
  /** What the peer still sent after our last word. */
  #discardedBytes = 0;
  #idleTimeoutMs: number;
  #lastActivityMs: number;
  /** When the transport last took bytes while some were waiting; 0 when none wait. */
  #stalledSinceMs = 0;
  #stalledAtBytes = 0;
  #protocolDeadlineMs = 0;
  #lingerDeadlineMs = 0;
  #lingerOwesBytes = false;
  /** When the wheel entry fires, at the latest. */
  #checkAtMs = 0;
  #closedPromise: Promise<CloseReason> | undefined;
  #resolveClosed: ((reason: CloseReason) => void) | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionOwner) {
    this.id = id;
    this.#transport = transport;
    this.#owner = owner;
    this.local = transport.local;
    this.remote = transport.remote;
    this.#idleTimeoutMs = owner.limits.idleTimeoutMs;
    this.#lastActivityMs = owner.wheel.nowMs;
    this.#entry = createWheelEntry((nowMs) => this.#check(nowMs));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why it ended; undefined until it is clear. */
  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  /** What broke it, where something did. */
  get error(): Error | undefined {
    return this.#error;
  }

  get transportKind(): Transport['kind'] {
    return this.#transport.kind;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get sentBytes(): number {
    return this.#transport.sentBytes;
  }

  /** Bytes written that the peer's side has not taken yet. */
  get unsentBytes(): number {
    return this.#transport.unsentBytes;
  }

  /** True once the server has begun to drain. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves with the reason when the connection is no more. Never rejects. */
  get closed(): Promise<CloseReason> {
    if (this.#closedPromise === undefined) {
      if (this.#state === 'closed') this.#closedPromise = Promise.resolve(this.#reason ?? 'finished');
      else this.#closedPromise = new Promise((resolve) => (this.#resolveClosed = resolve));
    }
    return this.#closedPromise;
  }

  /** Starts delivering bytes to `sink`. A later call replaces the sink, for a protocol that changes its language. */
  attach(sink: Sink): void {
    this.#sink = sink;
    if (this.#state !== 'accepted') return;
    this.#move('open');
    this.#arm(this.#idleTimeoutMs);
    this.#transport.start(this.#events());
  }

  // The hot door ------------------------------------------------------------------------------------------------------

  /**
   * Queues bytes for the peer. Returns false when the peer is slower than the writer: wait for `drained`. Strings are
   * latin1 unless told otherwise. The connection owns `data` until it is sent. After our side has ended it does nothing.
   */
  send(data: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1'): boolean {
    if (!this.#mayWrite()) return false;
    this.#lastActivityMs = this.#owner.wheel.nowMs;
    const room = this.#transport.write(data, encoding);
    if (!room) this.#noteStall();
    return room;
  }

  /** Between `cork` and `uncork`, sends are gathered into one system call. */
  cork(): void {
    this.#transport.cork();
  }

  uncork(): void {
    this.#transport.uncork();
  }

  /** Stops delivering bytes; the kernel's window then slows the peer down. */
  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  /** Sets (or, with 0, clears) the idle limit of this connection. */
  setIdleTimeout(timeoutMs: number): void {
    this.#idleTimeoutMs = timeoutMs;
    this.#lastActivityMs = this.#owner.wheel.nowMs;
    if (timeoutMs > 0) this.#arm(timeoutMs);
  }

  /** Calls the sink's `deadline` once after `timeoutMs`, unless set again or cleared with 0. One for each connection. */
  setDeadline(timeoutMs: number): void {
    if (timeoutMs <= 0) {
      this.#protocolDeadlineMs = 0;
      return;
    }
    this.#protocolDeadlineMs = this.#owner.wheel.nowMs + timeoutMs;
    this.#arm(timeoutMs);
  }

  /** Shuts down one direction. `write`: what is queued, then FIN, and reading goes on. `read`: what still comes is discarded. */
  shutdown(direction: 'read' | 'write' | 'both'): void {
    if (direction === 'read') {
      this.#discardsInput = true;
      this.#transport.resume();
      return;
    }
    if (direction === 'both') {
      this.end();
      return;
    }
    if (!this.#mayWrite()) return;
    this.#move('we-ended');
    this.#transport.shutdownWrite();
    if (this.#state === 'lingering') this.#startLinger();
  }

  /** Says the last word, if any, and closes lingeringly: the word arrives even when the peer is still sending. */
  end(lastWord?: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1', reason: CloseReason = 'finished'): void {
    if (this.#state === 'closed' || this.#state === 'lingering') return;
    const mayWrite = this.#mayWrite();
    if (lastWord !== undefined && mayWrite) this.#transport.write(lastWord, encoding);
    this.#reason ??= reason;
    if (this.#state === 'accepted') this.#transport.start(this.#events());
    this.#move('linger');
    if (mayWrite) this.#transport.shutdownWrite();
    // Bytes that the protocol held back must be discarded too, or the peer's FIN never comes.
    this.#transport.resume();
    this.#startLinger();
  }

  /** Drops the connection at once. Safe to call at any time. */
  destroy(reason: CloseReason = 'aborted', error?: Error): void {
    if (this.#state === 'closed') return;
    this.#reason ??= reason;
    this.#error ??= error;
    this.#transport.destroy();
    // A transport that never started reports nothing.
    if (this.#state === 'accepted') this.#finish();
  }

  /** Tells the protocol that the server is draining. */
  startDrain(): void {
    if (this.#draining || this.#state === 'closed') return;
    this.#draining = true;
    this.#guard(() => this.#sink?.drain?.());
  }

  // The comfortable door ----------------------------------------------------------------------------------------------

  #comfort(): ConnectionReader {
    if (this.#reader === undefined) {
      this.#reader = new ConnectionReader(this);
      this.attach(this.#reader);
    }
    return this.#reader;
  }

  /** The next bytes, or undefined when the peer has ended. `byteLength` asks for exactly so many (fewer only at the end). */
  read(byteLength?: number): Promise<Uint8Array | undefined> {
    return this.#comfort().read(byteLength);
  }

  /** The next line without its CR LF or LF, as UTF-8; undefined at the end. Longer than `maxLineBytes` rejects with LINE_TOO_LONG. */
  readLine(options?: { readonly maxLineBytes?: number }): Promise<string | undefined> {
    return this.#comfort().readLine(options?.maxLineBytes);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  /** Sends (strings as UTF-8) and resolves when there is room for more. Rejects with CONNECTION_CLOSED when it can't be sent. */
  async write(data: string | Uint8Array): Promise<void> {
    const reader = this.#comfort();
    if (!this.#mayWrite()) {
      throw new WellknownError('CONNECTION_CLOSED', `write to a connection that is ${this.#state}`, { fault: 'local', cause: this.#error });
    }
    if (!this.send(data, 'utf8')) await reader.room();
  }

  // Inside ------------------------------------------------------------------------------------------------------------

  #mayWrite(): boolean {
    return this.#state === 'open' || this.#state === 'read-closed' || this.#state === 'accepted';
  }

  #move(event: ConnectionEvent): void {
    this.#state = CONNECTION_TRANSITIONS[this.#state][event] ?? this.#state;
  }

  #events(): TransportEvents {
    return {
      data: (chunk) => this.#received(chunk),
      ended: () => this.#peerEnded(),
      drained: () => this.#drained(),
      closed: (error) => {
        this.#error ??= error;
        this.#reason ??= error === undefined ? 'finished' : 'peer-reset';
        this.#finish();
      },
    };
  }

  #received(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    this.#lastActivityMs = this.#owner.wheel.nowMs;
    if (this.#state !== 'lingering') {
      if (this.#discardsInput) return;
      try {
        this.#sink?.data(chunk);
      } catch (error) {
        this.#sinkFailed(error);
      }
      return;
    }
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > this.#owner.limits.lingerBytes) {
      this.#reason = this.#reason === 'finished' ? 'linger-overflow' : this.#reason;
      this.#transport.destroy();
    }
  }

  #peerEnded(): void {
    // While lingering both directions are now over, and the transport closes by itself.
    if (this.#state === 'lingering') return;
    this.#move('peer-ended');
    const sink = this.#sink;
    if (sink?.ended === undefined) this.end();
    else this.#guard(() => sink.ended?.());
  }

  #drained(): void {
    this.#stalledSinceMs = 0;
    if (this.#state !== 'lingering') this.#guard(() => this.#sink?.drained?.());
  }

  /** Runs a sink's method: a protocol that throws ends its own connection, not the process. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#sinkFailed(error);
    }
  }

  #sinkFailed(error: unknown): void {
    this.destroy('handler-failed', error instanceof Error ? error : new Error(String(error)));
  }

  #noteStall(): void {
    const { unsentBytes, sentBytes } = this.#transport;
    if (unsentBytes > this.#owner.limits.maxUnsentBytes) {
      this.destroy('unsent-overflow');
      return;
    }
    if (this.#stalledSinceMs !== 0) return;
    this.#stalledSinceMs = Math.max(1, this.#owner.wheel.nowMs);
    this.#stalledAtBytes = sentBytes;
    if (this.#owner.limits.writeTimeoutMs > 0) this.#arm(this.#owner.limits.writeTimeoutMs);
  }

  #startLinger(): void {
    if (this.#lingerDeadlineMs !== 0) return;
    this.#reason ??= 'finished';
    // What is still queued gets the write limit; only then does the peer's time to close begin.
    this.#lingerOwesBytes = this.#transport.unsentBytes > 0;
    if (this.#lingerOwesBytes) this.#noteStall();
    this.#lingerDeadlineMs = this.#owner.wheel.nowMs + this.#owner.limits.lingerTimeoutMs;
    this.#arm(this.#owner.limits.lingerTimeoutMs);
  }

  /** Makes sure that `#check` runs within `delayMs`. An earlier check stays: it will find out and come again. */
  #arm(delayMs: number): void {
    if (delayMs <= 0) return;
    const atMs = this.#owner.wheel.nowMs + delayMs;
    if (this.#checkAtMs !== 0 && this.#checkAtMs <= atMs) return;
    this.#checkAtMs = atMs;
    this.#owner.wheel.schedule(this.#entry, delayMs);
  }

  #check(nowMs: number): void {
    this.#checkAtMs = 0;
    if (this.#state === 'closed') return;
    if (this.#checkStall(nowMs)) return;
    if (this.#state === 'lingering') {
      this.#checkLinger(nowMs);
      return;
    }
    if (this.#protocolDeadlineMs !== 0) {
      if (nowMs >= this.#protocolDeadlineMs) {
        this.#protocolDeadlineMs = 0;
        if (this.#sink?.deadline === undefined) this.destroy('protocol-timeout');
        else this.#guard(() => this.#sink?.deadline?.());
      } else this.#arm(this.#protocolDeadlineMs - nowMs);
    }
    if (this.#idleTimeoutMs === 0) return;
    const idleMs = nowMs - this.#lastActivityMs;
    if (idleMs >= this.#idleTimeoutMs) this.destroy('idle-timeout');
    else this.#arm(this.#idleTimeoutMs - idleMs);
  }

  /** True when the connection was cut because the peer takes nothing. */
  #checkStall(nowMs: number): boolean {
    const { writeTimeoutMs } = this.#owner.limits;
    if (this.#stalledSinceMs === 0 || writeTimeoutMs === 0) return false;
    if (this.#transport.sentBytes > this.#stalledAtBytes) {
      this.#stalledAtBytes = this.#transport.sentBytes;
      this.#stalledSinceMs = Math.max(1, nowMs);
      // Bytes that leave are activity.
      this.#lastActivityMs = nowMs;
    }
    const stalledMs = nowMs - this.#stalledSinceMs;
    if (stalledMs >= writeTimeoutMs) {
      this.destroy('write-timeout');
      return true;
    }
    this.#arm(writeTimeoutMs - stalledMs);
    return false;
  }

  #checkLinger(nowMs: number): void {
    const { unsentBytes } = this.#transport;
    if (unsentBytes > 0 || this.#lingerOwesBytes) {
      // A peer cannot close before it has the last word: its time begins at the first look that finds all of it sent.
      this.#lingerOwesBytes = unsentBytes > 0;
      this.#lingerDeadlineMs = nowMs + this.#owner.limits.lingerTimeoutMs;
    } else if (nowMs >= this.#lingerDeadlineMs) {
      this.#reason = this.#reason === 'finished' ? 'linger-timeout' : this.#reason;
      this.#transport.destroy();
      return;
    }
    this.#arm(this.#lingerDeadlineMs - nowMs);
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.#move('closed');
    this.#owner.wheel.cancel(this.#entry);
    this.#reason ??= 'finished';
    try {
      this.#sink?.closed?.(this.#reason, this.#error);
    } catch (error) {
      this.#reason = 'handler-failed';
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
    this.#owner.connectionClosed(this);
    this.#resolveClosed?.(this.#reason);
  }
}
