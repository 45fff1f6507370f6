// What a connection is beneath its verbs: states, reasons, deadlines, back-pressure and the lingering close, over any
// transport. Its deadlines are kept in deadlines.ts, which tells what has passed; what is done then is decided here. What
// comes before a protocol gets to see the connection is in preamble.ts.

import type { Address } from '../address/address.ts';
import { connectionChannel } from '../diagnostics.ts';
import { WellknownError } from '../errors.ts';
import type { ProxyHeader } from '../proxy-protocol/parser.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import { ConnectionDeadlines, type DeadlineOwner, type PassedDeadline } from './deadlines.ts';
import type { ConnectionLimits } from './limits.ts';
import type { Preamble, PreambleHost } from './preamble.ts';
import type { Sink } from './sink.ts';
import { CONNECTION_TRANSITIONS, type CloseReason, type ConnectionEvent, type ConnectionState } from './states.ts';
import type { SecureInfo, TlsContext } from './tls-context.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** What a connection gets from its owner. */
export interface ConnectionSettings {
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  /** What `startTls` uses unless it is told otherwise. */
  readonly tls?: TlsContext | undefined;
  /** Each connection makes a context with sessions of its own out of `tls`. */
  readonly ownTlsSessions?: boolean;
  readonly alpn?: readonly string[];
}

export abstract class ConnectionCore {
  readonly id: number;
  protected readonly transport: Transport;
  protected readonly owner: ConnectionSettings;
  protected readonly link: TransportEvents & DeadlineOwner & PreambleHost;
  protected readonly deadlines: ConnectionDeadlines;
  #state: ConnectionState = 'accepted';
  #reason: CloseReason | undefined;
  #error: Error | undefined;
  protected sink: Sink | undefined;
  /** Only of a connection that has a PROXY header or speaks TLS. */
  protected preamble: Preamble | undefined;
  #draining = false;
  /** Only of a connection whose handler asks for it. */
  #drainAbort: AbortController | undefined;
  protected discardsInput = false;
  #receivedBytes = 0;
  /** What the peer still sent after our last word. */
  #discardedBytes = 0;
  #closedPromise: Promise<CloseReason> | undefined;
  #resolveClosed: ((reason: CloseReason) => void) | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionSettings) {
    this.id = id;
    this.transport = transport;
    this.owner = owner;
    this.link = new ConnectionCore.#Link(this);
    this.deadlines = new ConnectionDeadlines(this.link, owner.wheel, owner.limits);
  }

  /**
   * What the transport, the deadlines and the preamble hold of a connection: one object instead of a closure for each of
   * their calls.
   */
  static readonly #Link = class implements TransportEvents, DeadlineOwner, PreambleHost {
    readonly connection: ConnectionCore;

    constructor(connection: ConnectionCore) {
      this.connection = connection;
    }

    get receivedBytes(): number {
      return this.connection.#receivedBytes;
    }

    get sentBytes(): number {
      return this.connection.transport.sentBytes;
    }

    get unsentBytes(): number {
      return this.connection.transport.unsentBytes;
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

    get transport(): Transport {
      return this.connection.transport;
    }

    get limits(): ConnectionLimits {
      return this.connection.owner.limits;
    }

    get alpn(): readonly string[] | undefined {
      return this.connection.owner.alpn;
    }

    move(event: ConnectionEvent): void {
      this.connection.move(event);
    }

    startOpening(timeoutMs: number): void {
      this.connection.deadlines.startOpening(timeoutMs);
    }

    endOpening(): void {
      this.connection.deadlines.endOpening();
    }

    reopened(): void {
      this.connection.move('open');
      this.connection.deadlines.startOpen(false);
    }

    destroy(reason: CloseReason, error?: Error): void {
      this.connection.destroy(reason, error);
    }
  };

  get remote(): Address {
    return this.preamble?.proxy?.source ?? this.transport.remote;
  }

  get local(): Address {
    return this.preamble?.proxy?.destination ?? this.transport.local;
  }

  get peer(): Address {
    return this.transport.remote;
  }

  get socketLocal(): Address {
    return this.transport.local;
  }

  get proxyHeader(): ProxyHeader | undefined {
    return this.preamble?.proxy;
  }

  get secure(): SecureInfo | undefined {
    return this.preamble?.secure;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  get transportKind(): Transport['kind'] {
    return this.transport.kind;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get sentBytes(): number {
    return this.transport.sentBytes;
  }

  get unsentBytes(): number {
    return this.transport.unsentBytes;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get drainSignal(): AbortSignal {
    if (this.#drainAbort === undefined) {
      this.#drainAbort = new AbortController();
      if (this.#draining) this.#drainAbort.abort(serverDrains());
    }
    return this.#drainAbort.signal;
  }

  get closed(): Promise<CloseReason> {
    if (this.#closedPromise === undefined) {
      if (this.#state === 'closed') this.#closedPromise = Promise.resolve(this.#reason ?? 'finished');
      else this.#closedPromise = new Promise((resolve) => (this.#resolveClosed = resolve));
    }
    return this.#closedPromise;
  }

  attach(sink: Sink): void {
    this.sink = sink;
    const wasAccepted = this.#state === 'accepted';
    const preamble = this.preamble;
    if (!wasAccepted && (preamble?.isUnderWay !== true || preamble.isUpgrade)) return;
    const early = preamble?.end();
    this.move('open');
    this.deadlines.startOpen(true);
    if (this.#draining) this.#guard(() => sink.drain?.());
    if (wasAccepted) this.transport.start(this.link);
    else {
      if (early !== undefined) this.#received(early);
      this.transport.resume();
    }
  }

  end(lastWord?: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1', reason: CloseReason = 'finished'): void {
    if (this.#state === 'closed' || this.#state === 'lingering') return;
    const mayWrite = this.mayWrite();
    if (lastWord !== undefined && mayWrite) this.transport.write(lastWord, encoding);
    this.#reason ??= reason;
    if (this.#state === 'accepted') this.transport.start(this.link);
    this.preamble?.end();
    this.move('linger');
    if (mayWrite) this.transport.shutdownWrite();
    // Bytes that the protocol held back must be discarded too, or the peer's FIN never comes.
    this.transport.resume();
  }

  destroy(reason: CloseReason = 'aborted', error?: Error): void {
    if (this.#state === 'closed') return;
    this.#reason ??= reason;
    this.#error ??= error;
    this.transport.destroy();
    // A transport that never started reports nothing.
    if (this.#state === 'accepted') this.#finish();
  }

  /** Tells the protocol that the server is draining. */
  startDrain(): void {
    if (this.#draining || this.#state === 'closed') return;
    this.#draining = true;
    this.#drainAbort?.abort(serverDrains());
    this.#guard(() => this.sink?.drain?.());
  }

  // Inside ------------------------------------------------------------------------------------------------------------

  protected notWritable(verb: string): WellknownError {
    return new WellknownError('CONNECTION_CLOSED', `${verb} a connection that is ${this.#state}`, {
      fault: 'local',
      cause: this.#error,
    });
  }

  protected mayWrite(): boolean {
    if (this.#state === 'open' || this.#state === 'read-closed' || this.#state === 'accepted') return true;
    // A protocol that upgrades may go on talking: it is sent once the handshake is done. What turns a client away
    // before one may not.
    return (
      this.#state === 'proxy-header' ||
      (this.#state === 'handshake' && (this.preamble?.isUpgrade === true || this.secure !== undefined))
    );
  }

  protected move(event: ConnectionEvent): void {
    const from = this.#state;
    this.#state = CONNECTION_TRANSITIONS[from][event] ?? from;
    if (this.#state === 'lingering' && from !== 'lingering') this.#startLinger();
    if (connectionChannel.hasSubscribers && this.#state !== from)
      connectionChannel.publish({
        connection: this,
        from,
        to: this.#state,
        reason: this.#reason,
      });
  }

  #broken(error: Error | undefined): void {
    this.#error ??= error;
    this.#reason ??= this.#state === 'handshake' ? 'handshake-error' : brokenReason(error);
    this.#finish();
  }

  #received(chunk: Uint8Array): void {
    if (this.preamble?.isUnderWay === true) {
      this.preamble.received(chunk);
      return;
    }
    this.#receivedBytes += chunk.length;
    this.deadlines.active();
    if (this.#state !== 'lingering') {
      if (this.discardsInput) return;
      try {
        this.sink?.data(chunk);
      } catch (error) {
        this.#sinkFailed(error);
      }
      return;
    }
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > this.owner.limits.lingerBytes) {
      this.#reason = this.#reason === 'finished' ? 'linger-overflow' : this.#reason;
      this.transport.destroy();
    }
  }

  #peerEnded(): void {
    // While lingering both directions are now over, and the transport closes by itself.
    if (this.#state === 'lingering') return;
    if (this.preamble?.isUnderWay === true) {
      this.preamble.peerEnded();
      return;
    }
    this.move('peer-ended');
    const sink = this.sink;
    if (sink?.ended === undefined) this.end();
    else this.#guard(() => sink.ended?.());
  }

  #drained(): void {
    this.deadlines.endStall();
    if (this.#state !== 'lingering') this.#guard(() => this.sink?.drained?.());
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

  protected noteStall(): void {
    if (this.transport.unsentBytes > this.owner.limits.maxUnsentBytes) this.destroy('unsent-overflow');
    else this.deadlines.noteStall();
  }

  #startLinger(): void {
    this.#reason ??= 'finished';
    if (this.transport.unsentBytes > 0) this.noteStall();
    this.deadlines.startLinger();
  }

  #passed(what: PassedDeadline): void {
    switch (what) {
      case 'opening':
        this.destroy(this.#state === 'proxy-header' ? 'proxy-timeout' : 'handshake-timeout');
        return;
      case 'protocol':
        if (this.sink?.deadline === undefined) this.destroy('protocol-timeout');
        else this.#guard(() => this.sink?.deadline?.());
        return;
      case 'lifetime':
        this.end(undefined, 'latin1', 'lifetime');
        return;
      case 'linger-timeout':
        this.#reason = this.#reason === 'finished' ? 'linger-timeout' : this.#reason;
        this.transport.destroy();
        return;
      default:
        this.destroy(what);
    }
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.move('closed');
    this.deadlines.cancel();
    this.#reason ??= 'finished';
    this.preamble?.closed(this.#reason, this.#error);
    try {
      this.sink?.closed?.(this.#reason, this.#error);
    } catch (error) {
      this.#reason = 'handler-failed';
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
    this.reportClosed();
    this.#resolveClosed?.(this.#reason);
  }

  /** It is no more: its owner is told. */
  protected abstract reportClosed(): void;
}

/** Why an open connection is no more that its transport reports closed. */
function brokenReason(error: Error | undefined): CloseReason {
  if (error === undefined) return 'finished';
  return error instanceof WellknownError && error.code === 'TLS_FAILED' ? 'tls-error' : 'peer-reset';
}

const serverDrains = (): DOMException => new DOMException('the server drains', 'AbortError');
