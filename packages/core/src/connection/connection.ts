// One stream connection: states, reasons, deadlines, back-pressure and the lingering close, over any transport.
//
// Two ways to use it. The fast one: `attach` a sink, get bytes pushed in, `send` bytes out; no promise and no stream in
// between. The comfortable one (`read`, `readLine`, `for await`, `write`) is built on the first, in
// connection/reader.ts. Its deadlines are kept in connection/deadlines.ts, which tells what has passed; what is done
// then is decided here. What comes before a protocol gets to see the connection (PROXY header, TLS handshake) the
// admission asks for.

import type { Address } from '../address/address.ts';
import { ConnectionDeadlines, type DeadlineOwner, type PassedDeadline } from './deadlines.ts';
import { ConnectionPreamble } from './preamble.ts';
import { ConnectionReader } from './reader.ts';
import { CONNECTION_TRANSITIONS, type CloseReason, type ConnectionEvent, type ConnectionState } from './states.ts';
import { connectionChannel } from '../diagnostics.ts';
import { WellknownError } from '../errors.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './limits.ts';
import type { ProxyHeader } from '../proxy-protocol/parser.ts';
import type { Sink } from './sink.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { SecureInfo, TlsClient, TlsContext } from './tls-context.ts';
import type { Transport, TransportEvents } from './transport.ts';

export { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits };

/** What a connection reports to its owner, the registry of its server. */
export interface ConnectionOwner {
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  /** What `startTls` uses unless it is told otherwise. */
  readonly tls?: TlsContext;
  readonly alpn?: readonly string[];
  connectionClosed(connection: Connection): void;
}

/** What `wellknown:connection` carries. */
export interface ConnectionEventMessage {
  readonly connection: Connection;
  readonly from: ConnectionState;
  readonly to: ConnectionState;
  readonly reason: CloseReason | undefined;
}

export class Connection {
  /** Unique in this process. */
  readonly id: number;
  readonly #transport: Transport;
  readonly #owner: ConnectionOwner;
  readonly #link: TransportEvents & DeadlineOwner;
  readonly #deadlines: ConnectionDeadlines;
  #state: ConnectionState = 'accepted';
  #reason: CloseReason | undefined;
  #error: Error | undefined;
  #sink: Sink | undefined;
  /** The way to `open`, while it is on it. */
  #opening: ConnectionPreamble | undefined;
  #proxy: ProxyHeader | undefined;
  #secure: SecureInfo | undefined;
  #reader: ConnectionReader | undefined;
  #draining = false;
  /** The handshake under way is an upgrade: the protocol has seen the connection before. */
  #secureBeganInClear = false;
  #discardsInput = false;
  #receivedBytes = 0;
  /** What the peer still sent after our last word. */
  #discardedBytes = 0;
  #closedPromise: Promise<CloseReason> | undefined;
  #resolveClosed: ((reason: CloseReason) => void) | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionOwner) {
    this.id = id;
    this.#transport = transport;
    this.#owner = owner;
    this.#link = new Connection.#Link(this);
    this.#deadlines = new ConnectionDeadlines(this.#link, owner.wheel, owner.limits);
  }

  /**
   * What the transport and the deadlines hold of a connection: one object instead of a closure for each of their calls.
   */
  static readonly #Link = class implements TransportEvents, DeadlineOwner {
    readonly connection: Connection;

    constructor(connection: Connection) {
      this.connection = connection;
    }

    get receivedBytes(): number {
      return this.connection.#receivedBytes;
    }

    get sentBytes(): number {
      return this.connection.#transport.sentBytes;
    }

    get unsentBytes(): number {
      return this.connection.#transport.unsentBytes;
    }

    passed(what: PassedDeadline): void {
      this.connection.#passed(what);
    }

    data(chunk: Uint8Array): void {
      this.connection.#received(chunk);
    }

    ended(): void {
      this.connection.#peerEnded();
    }

    drained(): void {
      this.connection.#drained();
    }

    closed(error: Error | undefined): void {
      this.connection.#broken(error);
    }
  };

  /** The client's end: of the socket, or what a trusted proxy has said. */
  get remote(): Address {
    return this.#proxy?.source ?? this.#transport.remote;
  }

  /** Our end: of the socket, or what the client connected to at a trusted proxy. */
  get local(): Address {
    return this.#proxy?.destination ?? this.#transport.local;
  }

  /** The socket's other end, also where that is a proxy. */
  get peer(): Address {
    return this.#transport.remote;
  }

  /** The PROXY header that it came with. */
  get proxyHeader(): ProxyHeader | undefined {
    return this.#proxy;
  }

  /** What was agreed on in the TLS handshake; undefined in clear. */
  get secure(): SecureInfo | undefined {
    return this.#secure;
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
    const opening = this.#opening;
    if (this.#state !== 'accepted' && (opening === undefined || this.#secureBeganInClear)) return;
    const wasAccepted = this.#state === 'accepted';
    this.#opening = undefined;
    this.#move('open');
    this.#deadlines.startOpen(true);
    if (this.#draining) this.#guard(() => sink.drain?.());
    if (wasAccepted) this.#transport.start(this.#link);
    else {
      if (opening?.early !== undefined) this.#received(opening.early);
      this.#transport.resume();
    }
  }

  // The way to open ---------------------------------------------------------------------------------------------------

  /**
   * Reads a PROXY header before anything else, and calls `next` once it is there: then `remote` and `local` are the
   * client's, and the connection waits for `secureFirst`, `attach` or an end. For the acceptor, on a connection of a
   * trusted proxy.
   */
  readProxyHeader(next: () => void): void {
    this.#move('proxy');
    this.#deadlines.startOpening(this.#owner.limits.proxyHeaderTimeoutMs);
    this.#opening = new ConnectionPreamble('proxy-header', next);
    this.#transport.start(this.#link);
  }

  /**
   * Speaks TLS before anything else, and calls `next` once the handshake is done. For the acceptor, on a listener of
   * TLS.
   */
  secureFirst(side: TlsContext | TlsClient, next: () => void): void {
    const isStarted = this.#state !== 'accepted';
    this.#handshake(side, this.#opening?.early, next, undefined);
    if (!isStarted) this.#transport.start(this.#link);
    // Held back since the PROXY header.
    else this.#transport.resume();
  }

  /**
   * Upgrades a connection that began in clear. What was sent before goes out in clear; the sink goes on with what is
   * decrypted. Bytes that the peer sent before it could know of the upgrade are refused: they may be another's,
   * and would be taken for the peer's own once it is trusted. Core sees what it still holds; a sink that keeps bytes of
   * its own tells how many in `unreadBytes`. Rejects with EARLY_PLAINTEXT or TLS_FAILED, and then the connection is
   * destroyed; with WRONG_STATE where there is nothing to upgrade.
   */
  startTls(
    options: { readonly context?: TlsContext | TlsClient; readonly unreadBytes?: number } = {},
  ): Promise<SecureInfo> {
    const side = options.context ?? this.#owner.tls;
    if (side === undefined)
      return Promise.reject(
        new WellknownError('WRONG_STATE', 'startTls without a certificate', {
          fault: 'local',
          hint: "give the server its 'tls' option",
        }),
      );
    if (this.#state !== 'open' || this.#secure !== undefined || this.#transport.startTls === undefined) {
      return Promise.reject(
        new WellknownError(
          'WRONG_STATE',
          `startTls on a connection that is ${this.#secure === undefined ? this.#state : 'secure'}`,
          { fault: 'local' },
        ),
      );
    }
    const earlyBytes = (options.unreadBytes ?? 0) + (this.#reader?.unreadBytes ?? 0) + this.#transport.undeliveredBytes;
    if (earlyBytes > 0) {
      const error = new WellknownError('EARLY_PLAINTEXT', `${earlyBytes} bytes came in clear before the handshake`, {
        fault: 'remote',
      });
      this.destroy('early-plaintext', error);
      return Promise.reject(error);
    }
    this.#secureBeganInClear = true;
    return new Promise((resolve, reject) => {
      const next = (): void => {
        this.#opening = undefined;
        this.#secureBeganInClear = false;
        this.#move('open');
        this.#deadlines.startOpen(false);
        if (this.#secure !== undefined) resolve(this.#secure);
      };
      this.#handshake(side, undefined, next, reject);
    });
  }

  #handshake(
    side: TlsContext | TlsClient,
    head: Uint8Array | undefined,
    next: () => void,
    failed: ConnectionPreamble['failed'],
  ): void {
    this.#move('handshake');
    this.#deadlines.startOpening(this.#owner.limits.handshakeTimeoutMs);
    this.#opening = new ConnectionPreamble('handshake', next, failed);
    const secured = (info: SecureInfo): void => {
      const opening = this.#opening;
      if (this.#state !== 'handshake' || opening === undefined) return;
      this.#secure = info;
      this.#deadlines.endOpening();
      opening.next();
    };
    this.#transport.startTls?.({ side, alpn: this.#owner.alpn, head, secured });
  }

  #receivedEarly(chunk: Uint8Array, opening: ConnectionPreamble): void {
    const outcome = opening.push(chunk);
    if (outcome.at === 'invalid')
      this.destroy('proxy-error', new WellknownError('PROXY_HEADER_INVALID', outcome.problem, { fault: 'remote' }));
    else if (outcome.at === 'header') {
      this.#deadlines.endOpening();
      this.#proxy = outcome.header;
      this.#transport.pause();
      opening.next();
    }
  }

  // The fast way ------------------------------------------------------------------------------------------------------

  /**
   * Queues bytes for the peer. Returns false when the peer is slower than the writer: wait for `drained`. Strings are
   * latin1 unless told otherwise. The connection owns `data` until it is sent. After our side has ended it does
   * nothing.
   */
  send(data: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1'): boolean {
    if (!this.#mayWrite()) return false;
    this.#deadlines.active();
    const room = this.#transport.write(data, encoding);
    if (!room) this.#noteStall();
    return room;
  }

  /**
   * Sends bytes whose buffer is wanted back, so that a few buffers can carry any amount. `taken` is called once, never
   * before this has returned: when the system has all of them, or with an error when they will not be sent. From then
   * on the buffer is the caller's again. Several may be under way. Returns what `send` returns.
   */
  sendThen(data: Uint8Array, taken: (error: Error | undefined) => void): boolean {
    if (!this.#mayWrite()) {
      queueMicrotask(() => taken(this.#notWritable('send on')));
      return false;
    }
    this.#deadlines.active();
    const room = this.#transport.writeThen(data, taken);
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

  /** The idle limit in force, 0 for none: for a protocol that keeps it by itself. */
  get idleTimeoutMs(): number {
    return this.#deadlines.idleTimeoutMs;
  }

  /** Sets (or, with 0, clears) the idle limit of this connection. */
  setIdleTimeout(timeoutMs: number): void {
    this.#deadlines.setIdle(timeoutMs);
  }

  /**
   * Calls the sink's `deadline` once after `timeoutMs`, unless set again or cleared with 0. One for each connection.
   */
  setDeadline(timeoutMs: number): void {
    this.#deadlines.setProtocol(timeoutMs);
  }

  /**
   * Says whether the peer is in the middle of a message: while it is, the lowest read rate of the limits holds. A
   * protocol that knows its messages calls this at their beginning and end.
   */
  expectInput(isExpected: boolean): void {
    this.#deadlines.expectInput(isExpected);
  }

  /**
   * Shuts down one direction. `write`: what is queued, then FIN, and reading goes on. `read`: what still comes is
   * discarded.
   */
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
  }

  /** Says the last word, if any, and closes lingeringly: the word arrives even when the peer is still sending. */
  end(lastWord?: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1', reason: CloseReason = 'finished'): void {
    if (this.#state === 'closed' || this.#state === 'lingering') return;
    const mayWrite = this.#mayWrite();
    if (lastWord !== undefined && mayWrite) this.#transport.write(lastWord, encoding);
    this.#reason ??= reason;
    if (this.#state === 'accepted') this.#transport.start(this.#link);
    this.#opening = undefined;
    this.#move('linger');
    if (mayWrite) this.#transport.shutdownWrite();
    // Bytes that the protocol held back must be discarded too, or the peer's FIN never comes.
    this.#transport.resume();
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

  // The comfortable way ---------------------------------------------------------------------------------------------

  #comfort(): ConnectionReader {
    if (this.#reader === undefined) {
      this.#reader = new ConnectionReader(this);
      this.attach(this.#reader);
    }
    return this.#reader;
  }

  /**
   * The next bytes, or undefined when the peer has ended. `byteLength` asks for exactly so many (fewer only at the
   * end). An aborted read takes nothing.
   */
  read(options?: { readonly byteLength?: number; readonly signal?: AbortSignal }): Promise<Uint8Array | undefined> {
    return this.#comfort().read(options?.byteLength, options?.signal);
  }

  /**
   * The next line without its CR LF or LF, as UTF-8; undefined at the end. Longer than `maxLineBytes` rejects with
   * LINE_TOO_LONG.
   */
  readLine(options?: { readonly maxLineBytes?: number; readonly signal?: AbortSignal }): Promise<string | undefined> {
    return this.#comfort().readLine(options?.maxLineBytes, options?.signal);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  /**
   * Sends (strings as UTF-8) and resolves when there is room for more. Rejects with CONNECTION_CLOSED when it can't be
   * sent.
   */
  async write(data: string | Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void> {
    const reader = this.#comfort();
    if (!this.#mayWrite()) throw this.#notWritable('write to');
    if (!this.send(data, 'utf8')) await reader.room(options?.signal);
  }

  // Inside ------------------------------------------------------------------------------------------------------------

  #notWritable(verb: string): WellknownError {
    return new WellknownError('CONNECTION_CLOSED', `${verb} a connection that is ${this.#state}`, {
      fault: 'local',
      cause: this.#error,
    });
  }

  #mayWrite(): boolean {
    if (this.#state === 'open' || this.#state === 'read-closed' || this.#state === 'accepted') return true;
    // A protocol that upgrades may go on talking: it is sent once the handshake is done. What turns a client away
    // before one may not.
    return (
      this.#state === 'proxy-header' ||
      (this.#state === 'handshake' && (this.#secureBeganInClear || this.#secure !== undefined))
    );
  }

  #move(event: ConnectionEvent): void {
    const from = this.#state;
    this.#state = CONNECTION_TRANSITIONS[from][event] ?? from;
    if (this.#state === 'lingering' && from !== 'lingering') this.#startLinger();
    if (connectionChannel.hasSubscribers && this.#state !== from)
      connectionChannel.publish({
        connection: this,
        from,
        to: this.#state,
        reason: this.#reason,
      } satisfies ConnectionEventMessage);
  }

  #broken(error: Error | undefined): void {
    this.#error ??= error;
    this.#reason ??= this.#state === 'handshake' ? 'handshake-error' : error === undefined ? 'finished' : 'peer-reset';
    this.#finish();
  }

  #received(chunk: Uint8Array): void {
    if (this.#opening !== undefined) {
      this.#receivedEarly(chunk, this.#opening);
      return;
    }
    this.#receivedBytes += chunk.length;
    this.#deadlines.active();
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
    if (this.#opening !== undefined) {
      // A probe that only looks whether a server listens is no error.
      if (this.#state === 'proxy-header') this.destroy(this.#opening.isUntouched ? 'finished' : 'proxy-error');
      else this.destroy('handshake-error');
      return;
    }
    this.#move('peer-ended');
    const sink = this.#sink;
    if (sink?.ended === undefined) this.end();
    else this.#guard(() => sink.ended?.());
  }

  #drained(): void {
    this.#deadlines.endStall();
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
    if (this.#transport.unsentBytes > this.#owner.limits.maxUnsentBytes) this.destroy('unsent-overflow');
    else this.#deadlines.noteStall();
  }

  #startLinger(): void {
    this.#reason ??= 'finished';
    if (this.#transport.unsentBytes > 0) this.#noteStall();
    this.#deadlines.startLinger();
  }

  #passed(what: PassedDeadline): void {
    switch (what) {
      case 'opening':
        this.destroy(this.#state === 'proxy-header' ? 'proxy-timeout' : 'handshake-timeout');
        return;
      case 'protocol':
        if (this.#sink?.deadline === undefined) this.destroy('protocol-timeout');
        else this.#guard(() => this.#sink?.deadline?.());
        return;
      case 'lifetime':
        this.end(undefined, 'latin1', 'lifetime');
        return;
      case 'linger-timeout':
        this.#reason = this.#reason === 'finished' ? 'linger-timeout' : this.#reason;
        this.#transport.destroy();
        return;
      default:
        this.destroy(what);
    }
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.#move('closed');
    this.#deadlines.cancel();
    this.#reason ??= 'finished';
    this.#opening?.failed?.(
      new WellknownError('TLS_FAILED', `the TLS handshake failed (${this.#reason})`, {
        fault: 'remote',
        cause: this.#error,
      }),
    );
    this.#opening = undefined;
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
