// What a connection is known by: its ends, its state and the reason of its end, what it has carried, whether its server
// drains. What happens to it is decided in connection-core.ts.

import type { Address } from '../address/address.ts';
import { connectionChannel } from '../diagnostics.ts';
import { WellknownError } from '../errors.ts';
import type { ProxyHeader } from '../proxy-protocol/parser.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { ConnectionLimits } from './limits.ts';
import type { Preamble } from './preamble.ts';
import { CONNECTION_TRANSITIONS, type CloseReason, type ConnectionEvent, type ConnectionState } from './states.ts';
import type { SecureInfo } from './secure-info.ts';
import type { TlsContext } from './tls-context.ts';
import type { Transport } from './transport.ts';
import type { UnsentBudget } from './unsent-budget.ts';

/** What a connection gets from its owner. */
export interface ConnectionSettings {
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  /** What `startTls` uses unless it is told otherwise. */
  readonly tls?: TlsContext | undefined;
  /** Each connection makes a context with sessions of its own out of `tls`. */
  readonly ownTlsSessions?: boolean;
  readonly alpn?: readonly string[] | undefined;
  /** What slow readers of the whole process may hold. */
  readonly unsent?: UnsentBudget | undefined;
}

export abstract class ConnectionFacts {
  readonly id: number;
  protected readonly transport: Transport;
  protected readonly owner: ConnectionSettings;
  /** Only of a connection that has a PROXY header or speaks TLS. */
  protected preamble: Preamble | undefined;
  #state: ConnectionState = 'accepted';
  #reason: CloseReason | undefined;
  #error: Error | undefined;
  #receivedBytes = 0;
  readonly #sinceMs: number;
  #draining = false;
  /** Only of a connection whose handler asks for it. */
  #drainAbort: AbortController | undefined;
  #closedPromise: Promise<CloseReason> | undefined;
  #resolveClosed: ((reason: CloseReason) => void) | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionSettings) {
    this.id = id;
    this.transport = transport;
    this.owner = owner;
    this.#sinceMs = owner.wheel.nowMs;
  }

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

  get ageMs(): number {
    return this.owner.wheel.nowMs - this.#sinceMs;
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

  // For connection-core.ts ------------------------------------------------------------------------------------------

  protected countReceived(byteLength: number): void {
    this.#receivedBytes += byteLength;
  }

  /** Why it ends, and what broke it: the first that is said stays. */
  protected endsBecause(reason: CloseReason, error?: Error): void {
    this.#reason ??= reason;
    this.#error ??= error;
  }

  /** What looked like the end was not: another reason takes the place of the first. */
  protected correctReason(reason: CloseReason, error = this.#error): void {
    this.#reason = reason;
    this.#error = error;
  }

  /** Takes the transition of the table; returns the state before. */
  protected transit(event: ConnectionEvent): ConnectionState {
    const from = this.#state;
    this.#state = CONNECTION_TRANSITIONS[from][event] ?? from;
    return from;
  }

  protected publishTransition(from: ConnectionState): void {
    if (connectionChannel.hasSubscribers && this.#state !== from)
      connectionChannel.publish({
        connection: this,
        from,
        to: this.#state,
        reason: this.#reason,
      });
  }

  /** Its server drains; false when that was known. */
  protected noteDrain(): boolean {
    if (this.#draining || this.#state === 'closed') return false;
    this.#draining = true;
    this.#drainAbort?.abort(serverDrains());
    return true;
  }

  protected resolveClosed(): void {
    this.#resolveClosed?.(this.#reason ?? 'finished');
  }

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
}

const serverDrains = (): DOMException => new DOMException('the server drains', 'AbortError');
