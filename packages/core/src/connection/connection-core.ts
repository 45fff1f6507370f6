// What happens to a connection: states, reasons, deadlines, back-pressure and the lingering close, over any transport. Its
// deadlines are kept in deadlines.ts, which tells what has passed; what is done then is decided here. What comes before a
// protocol gets to see the connection is in preamble.ts, what the connection is known by in connection-facts.ts.

import { WellknownError } from '../errors.ts';
import { ConnectionFacts, type ConnectionSettings } from './connection-facts.ts';
import { ConnectionDeadlines, type DeadlineOwner, type PassedDeadline } from './deadlines.ts';
import type { ConnectionLimits } from './limits.ts';
import type { PreambleHost } from './preamble.ts';
import { shortText } from './short-text.ts';
import type { Sink } from './sink.ts';
import type { CloseReason, ConnectionEvent } from './states.ts';
import type { Transport, TransportEvents } from './transport.ts';
import type { SlowReader } from './unsent-budget.ts';

export abstract class ConnectionCore extends ConnectionFacts {
  protected readonly link: TransportEvents & DeadlineOwner & PreambleHost & SlowReader;
  protected readonly deadlines: ConnectionDeadlines;
  protected sink: Sink | undefined;
  protected discardsInput = false;
  /** What the peer still sent after our last word. */
  #discardedBytes = 0;
  /** What it is doing, as its protocol has told by the setter. */
  #said: string | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionSettings) {
    super(id, transport, owner);
    this.link = new ConnectionCore.#Link(this);
    this.deadlines = new ConnectionDeadlines(this.link, owner.wheel, owner.limits);
  }

  /**
   * What the transport, the deadlines and the preamble hold of a connection: one object instead of a closure for each of
   * their calls.
   */
  static readonly #Link = class implements TransportEvents, DeadlineOwner, PreambleHost, SlowReader {
    readonly connection: ConnectionCore;

    constructor(connection: ConnectionCore) {
      this.connection = connection;
    }

    get receivedBytes(): number {
      return this.connection.receivedBytes;
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

    cutForMemory(): void {
      this.connection.destroy('unsent-total');
    }
  };

  get doing(): string | undefined {
    let doing = this.#said;
    if (this.sink?.doing !== undefined) this.#guard(() => (doing = this.sink?.doing?.()));
    return doing === undefined ? undefined : shortText(doing);
  }

  set doing(said: string | undefined) {
    this.#said = said;
  }

  attach(sink: Sink): void {
    this.sink = sink;
    const wasAccepted = this.state === 'accepted';
    const preamble = this.preamble;
    if (!wasAccepted && (preamble?.isUnderWay !== true || preamble.isUpgrade)) return;
    const early = preamble?.end();
    this.move('open');
    this.deadlines.startOpen(true);
    if (this.draining) this.#guard(() => sink.drain?.());
    if (wasAccepted) this.transport.start(this.link);
    else {
      if (early !== undefined) this.#received(early);
      this.transport.resume();
    }
  }

  end(lastWord?: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1', reason: CloseReason = 'finished'): void {
    if (this.state === 'closed' || this.state === 'lingering') return;
    const mayWrite = this.mayWrite();
    if (lastWord !== undefined && mayWrite) this.transport.write(lastWord, encoding);
    this.endsBecause(reason);
    if (this.state === 'accepted') this.transport.start(this.link);
    this.preamble?.closed(reason, undefined);
    this.move('linger');
    if (mayWrite) this.transport.shutdownWrite();
    // Bytes that the protocol held back must be discarded too, or the peer's FIN never comes.
    this.transport.resume();
  }

  destroy(reason: CloseReason = 'aborted', error?: Error): void {
    if (this.state === 'closed') return;
    this.endsBecause(reason, error);
    this.transport.destroy();
    // A transport that never started reports nothing.
    if (this.state === 'accepted') this.#finish();
  }

  reset(reason: CloseReason = 'aborted'): void {
    if (this.state === 'closed') return;
    this.endsBecause(reason);
    this.transport.reset();
    if (this.state === 'accepted') this.#finish();
  }

  /** Tells the protocol that the server is draining. */
  startDrain(): void {
    if (this.noteDrain()) this.#guard(() => this.sink?.drain?.());
  }

  // Inside ------------------------------------------------------------------------------------------------------------

  protected move(event: ConnectionEvent): void {
    const from = this.transit(event);
    if (this.state === 'lingering' && from !== 'lingering') this.#startLinger();
    this.publishTransition(from);
  }

  #broken(error: Error | undefined): void {
    this.endsBecause(this.state === 'handshake' ? 'handshake-error' : brokenReason(error), error);
    this.#finish();
  }

  #received(chunk: Uint8Array): void {
    if (this.preamble?.isUnderWay === true) {
      this.preamble.received(chunk);
      return;
    }
    this.countReceived(chunk.length);
    this.deadlines.active();
    if (this.state !== 'lingering') {
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
      if (this.reason === 'finished') this.correctReason('linger-overflow');
      this.transport.destroy();
    }
  }

  #peerEnded(): void {
    // While lingering both directions are now over, and the transport closes by itself.
    if (this.state === 'lingering') return;
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
    this.owner.unsent?.caughtUp(this.link);
    if (this.state !== 'lingering') this.#guard(() => this.sink?.drained?.());
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

  /**
   * Something was written that did not all leave. A single write may be as large as its writer's memory: the limit is for
   * who goes on writing.
   */
  protected wroteWithoutRoom(): void {
    if (this.deadlines.isStalled && this.transport.unsentBytes > this.owner.limits.maxUnsentBytes) {
      this.destroy('unsent-overflow');
      return;
    }
    this.#noteStall();
  }

  #noteStall(): void {
    this.deadlines.noteStall();
    this.owner.unsent?.stalled(this.link);
  }

  #startLinger(): void {
    this.endsBecause('finished');
    if (this.transport.unsentBytes > 0) this.#noteStall();
    this.deadlines.startLinger();
  }

  #passed(what: PassedDeadline): void {
    switch (what) {
      case 'opening':
        this.destroy(this.state === 'proxy-header' ? 'proxy-timeout' : 'handshake-timeout');
        return;
      case 'pause':
        this.transport.probe?.();
        return;
      case 'protocol':
        if (this.sink?.deadline === undefined) this.destroy('protocol-timeout');
        else this.#guard(() => this.sink?.deadline?.());
        return;
      case 'lifetime':
        this.end(undefined, 'latin1', 'lifetime');
        return;
      case 'linger-timeout':
        if (this.reason === 'finished') this.correctReason('linger-timeout');
        this.transport.destroy();
        return;
      default:
        this.destroy(what);
    }
  }

  #finish(): void {
    if (this.state === 'closed') return;
    this.move('closed');
    this.deadlines.cancel();
    this.owner.unsent?.closed(this.link);
    this.endsBecause('finished');
    const reason = this.reason ?? 'finished';
    this.preamble?.closed(reason, this.error);
    try {
      this.sink?.closed?.(reason, this.error);
    } catch (error) {
      this.correctReason('handler-failed', error instanceof Error ? error : new Error(String(error)));
    }
    this.reportClosed();
    this.resolveClosed();
  }

  /** It is no more: its owner is told. */
  protected abstract reportClosed(): void;
}

/** Why an open connection is no more that its transport reports closed. */
function brokenReason(error: Error | undefined): CloseReason {
  if (error === undefined) return 'finished';
  return error instanceof WellknownError && error.code === 'TLS_FAILED' ? 'tls-error' : 'peer-reset';
}
