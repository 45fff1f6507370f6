// What a connection waits for, and the deadline that goes with it. A deadline runs from the start of its phase: bytes
// that trickle in don't move it, and those of one request never go on for the next.

import type { Connection } from '@wellknown/core';
import type { HttpLimits } from '../limits.ts';

type Phase = 'first-head' | 'idle' | 'head' | 'body' | 'answer' | 'closing';

// A connection that is idle when the drain begins may have a request under way. Clients that are busy send one within
// this, and those of HTTP/2 have answered a PING by then, from wherever they are.
export const DRAIN_GRACE_MS = 1_000;
// A handler that has taken nothing for so long does something else; one that is only slower than its client takes some.
const LOOK_AHEAD_AFTER_MS = 1_000;

export class PhaseDeadline {
  readonly #connection: Connection;
  readonly #limits: HttpLimits;
  #phase: Phase = 'first-head';
  #isForLastRequest = false;

  constructor(connection: Connection, limits: HttpLimits) {
    this.#connection = connection;
    this.#limits = limits;
    connection.setDeadline(limits.headTimeoutMs);
  }

  /** Nothing more is to be read. */
  get isClosing(): boolean {
    return this.#phase === 'closing';
  }

  get isBeforeFirstHead(): boolean {
    return this.#phase === 'first-head';
  }

  get isForBody(): boolean {
    return this.#phase === 'body';
  }

  /** A request has begun: what is waited for from here on, it or a later one is the reason. */
  headCame(): void {
    if (this.#phase !== 'closing') this.#phase = 'idle';
  }

  forHead(): void {
    // The first head has had its deadline since the accept.
    if (this.#phase === 'first-head') this.#phase = 'head';
    else this.#enter('head', this.#limits.headTimeoutMs);
  }

  forBody(): void {
    this.#enter('body', this.#limits.bodyCheckMs);
  }

  /** From now, where content is waited for. */
  nextBodyCheck(): void {
    if (this.#phase === 'body') this.#connection.setDeadline(this.#limits.bodyCheckMs);
  }

  /** Content is not read on: its client may be slow now, and may have gone. */
  forPausedBody(): void {
    if (this.#phase === 'body') this.#connection.setDeadline(LOOK_AHEAD_AFTER_MS);
  }

  /** A handler may take its time. */
  forAnswer(): void {
    this.#enter('answer', 0);
  }

  /** From now, whenever it is called: each response gives the client its time for the next request. */
  forNextRequest(): void {
    this.#phase = 'idle';
    this.#connection.setDeadline(this.#limits.keepAliveTimeoutMs);
  }

  /** One more request is answered if it comes soon; the time runs from the first call. */
  forLastRequest(): void {
    if (this.#isForLastRequest) return;
    this.#isForLastRequest = true;
    this.#phase = 'idle';
    this.#connection.setDeadline(DRAIN_GRACE_MS);
  }

  close(): void {
    this.#phase = 'closing';
  }

  #enter(phase: Phase, deadlineMs: number): void {
    if (this.#phase === phase) return;
    this.#connection.setDeadline(deadlineMs);
    this.#phase = phase;
  }
}
