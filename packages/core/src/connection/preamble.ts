// The way of a connection to `open`: a PROXY header, a TLS handshake, both or none, one step at a time; and the handshake
// of a connection that upgrades later. Most connections have no preamble, and then there is no such object.

import { WellknownError } from '../errors.ts';
import { createProxyParser, type ProxyHeader, type ProxyParser } from '../proxy-protocol/parser.ts';
import type { ConnectionLimits } from './limits.ts';
import type { CloseReason, ConnectionEvent } from './states.ts';
import type { SecureInfo } from './secure-info.ts';
import type { TlsClient, TlsContext } from './tls-context.ts';
import type { Transport } from './transport.ts';

/** The connection, as far as its preamble moves it. */
export interface PreambleHost {
  readonly transport: Transport;
  readonly limits: Pick<ConnectionLimits, 'proxyHeaderTimeoutMs' | 'handshakeTimeoutMs'>;
  readonly alpn: readonly string[] | undefined;
  move(event: ConnectionEvent): void;
  startOpening(timeoutMs: number): void;
  endOpening(): void;
  /** An upgrade is done: the protocol goes on. */
  reopened(): void;
  destroy(reason: CloseReason, error?: Error): void;
}

interface Step {
  readonly at: 'proxy-header' | 'handshake';
  /** What follows when the step is done. */
  readonly next: () => void;
  /** Told when the step can't be completed. */
  readonly failed: ((error: WellknownError) => void) | undefined;
  /** The protocol has seen the connection before. */
  readonly isUpgrade: boolean;
}

export class Preamble {
  readonly #host: PreambleHost;
  #parser: ProxyParser | undefined;
  #step: Step | undefined;
  #proxy: ProxyHeader | undefined;
  #secure: SecureInfo | undefined;
  #early: Uint8Array | undefined;
  #isUntouched = true;

  constructor(host: PreambleHost) {
    this.#host = host;
  }

  get proxy(): ProxyHeader | undefined {
    return this.#proxy;
  }

  get secure(): SecureInfo | undefined {
    return this.#secure;
  }

  /** Bytes that come are for a step, not for the protocol. */
  get isUnderWay(): boolean {
    return this.#step !== undefined;
  }

  /** A protocol that upgrades may go on talking: it is sent once the handshake is done. */
  get isUpgrade(): boolean {
    return this.#step?.isUpgrade === true;
  }

  readProxyHeader(next: () => void): void {
    this.#parser = createProxyParser();
    this.#begin({ at: 'proxy-header', next, failed: undefined, isUpgrade: false });
  }

  /** What followed a PROXY header in its last chunk belongs to the handshake. */
  handshake(side: TlsContext | TlsClient, next: () => void, withoutTickets: boolean): void {
    const head = this.#early;
    this.#early = undefined;
    this.#begin({ at: 'handshake', next, failed: undefined, isUpgrade: false });
    this.#secureTransport(side, head, withoutTickets);
  }

  /** Rejects with TLS_FAILED when the connection ends before the handshake does. */
  upgrade(side: TlsContext | TlsClient): Promise<SecureInfo> {
    return new Promise((resolve, reject) => {
      const next = (): void => {
        this.#step = undefined;
        this.#host.reopened();
        if (this.#secure !== undefined) resolve(this.#secure);
      };
      this.#begin({ at: 'handshake', next, failed: reject, isUpgrade: true });
      this.#secureTransport(side, undefined, false);
    });
  }

  received(chunk: Uint8Array): void {
    this.#isUntouched = false;
    const parsed = this.#parser?.push(chunk);
    if (parsed === undefined) {
      // It was on its way when the transport was paused.
      this.#early = this.#early === undefined ? chunk : Buffer.concat([this.#early, chunk]);
    } else if (parsed.type === 'error') {
      this.#host.destroy(
        'proxy-error',
        new WellknownError('PROXY_HEADER_INVALID', parsed.problem, { fault: 'remote' }),
      );
    } else if (parsed.type === 'header') {
      this.#parser = undefined;
      if (parsed.rest.length > 0) this.#early = parsed.rest;
      this.#host.endOpening();
      this.#proxy = parsed.header;
      this.#host.transport.pause();
      this.#step?.next();
    }
  }

  /** The peer has ended in the middle of it. */
  peerEnded(): void {
    // A probe that only looks whether a server listens is no error.
    if (this.#step?.at === 'proxy-header') this.#host.destroy(this.#isUntouched ? 'finished' : 'proxy-error');
    else this.#host.destroy('handshake-error');
  }

  /** The steps are over. Gives back what came behind them. */
  end(): Uint8Array | undefined {
    const early = this.#early;
    this.#step = undefined;
    this.#early = undefined;
    return early;
  }

  /** The connection has closed, or was ended on our side, for `reason`. */
  closed(reason: CloseReason, cause: Error | undefined): void {
    const step = this.#step;
    this.end();
    step?.failed?.(
      new WellknownError('TLS_FAILED', `the TLS handshake failed (${reason})`, { fault: 'remote', cause }),
    );
  }

  #begin(step: Step): void {
    const { limits } = this.#host;
    this.#step = step;
    this.#host.move(step.at === 'proxy-header' ? 'proxy' : 'handshake');
    this.#host.startOpening(step.at === 'proxy-header' ? limits.proxyHeaderTimeoutMs : limits.handshakeTimeoutMs);
  }

  #secureTransport(side: TlsContext | TlsClient, head: Uint8Array | undefined, withoutTickets: boolean): void {
    const step = this.#step;
    const secured = (info: SecureInfo): void => {
      if (step === undefined || this.#step !== step) return;
      this.#secure = info;
      this.#host.endOpening();
      step.next();
    };
    this.#host.transport.startTls?.({ side, alpn: this.#host.alpn, head, withoutTickets, secured });
  }
}
