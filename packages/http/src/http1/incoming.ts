// What has come from the peer and can't be parsed yet, and whether more is read: the pace of one connection. A peer that
// sends faster than it is answered, or than its content is taken, meets its own window.

import type { Connection } from '@wellknown/core';
import { isTooSlow, type Exchange } from '../exchange/exchange.ts';
import type { PhaseDeadline } from '../exchange/phase-deadline.ts';
import type { HttpService } from '../exchange/service.ts';

export const EMPTY = Buffer.alloc(0);
// The end of a peer is only seen by who reads on: so much of its next requests is kept while a response is awaited. They
// are put together anew for each chunk, so it is little.
const MAX_BACKLOG_BYTES = 16_384;

export class Incoming {
  readonly #connection: Connection;
  readonly #service: HttpService;
  readonly #deadline: PhaseDeadline;
  /** What waits for the response at hand. */
  backlog: Buffer = EMPTY;
  #isPaused = false;

  constructor(connection: Connection, service: HttpService, deadline: PhaseDeadline) {
    this.#connection = connection;
    this.#service = service;
    this.#deadline = deadline;
  }

  keep(bytes: Buffer, exchange: Exchange | undefined): void {
    // Beyond its limit the transport is paused, so it stays below that and a few reads of the socket.
    this.backlog = this.backlog.length === 0 ? bytes : Buffer.concat([this.backlog, bytes]);
    this.update(exchange);
  }

  /** The backlog, taken out. */
  take(): Buffer {
    const bytes = this.backlog;
    this.backlog = EMPTY;
    return bytes;
  }

  /** Stops or goes on reading. */
  update(exchange: Exchange | undefined): void {
    const pause = this.backlog.length > MAX_BACKLOG_BYTES || (exchange?.body?.full ?? false);
    if (pause === this.#isPaused || this.#deadline.isClosing) return;
    this.#isPaused = pause;
    if (pause) {
      this.#connection.pause();
      this.#deadline.forPausedBody();
    } else {
      this.#connection.resume();
      this.measureFromNow(exchange);
    }
  }

  /** At the check of an arriving body: true when the peer is too slow. It is not while it is we who don't read. */
  checkRate(exchange: Exchange): boolean {
    if (this.#isPaused) this.#lookAhead(exchange);
    else if (isTooSlow(exchange, this.#service.limits) && exchange.body?.looksAhead !== true) return true;
    else this.#deadline.nextBodyCheck();
    return false;
  }

  /** A peer is measured from when it may send. */
  measureFromNow(exchange: Exchange | undefined): void {
    if (exchange !== undefined) exchange.bytesSinceCheck = 0;
    this.#deadline.nextBodyCheck();
  }

  /** Goes on reading content that no handler takes: a peer that is gone is only noticed behind it. */
  #lookAhead(exchange: Exchange): void {
    const { body } = exchange;
    if (body?.full !== true || body.looksAhead) return;
    const ended = this.#service.lookAheads.begin();
    if (ended === undefined) {
      this.#deadline.forPausedBody();
      return;
    }
    body.lookAhead(() => {
      ended();
      this.measureFromNow(exchange);
    });
    this.update(exchange);
  }
}
