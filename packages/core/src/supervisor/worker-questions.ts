// What a primary asks of one worker, and the answers that it waits for. Pure.

import type { ConnectionFilter } from '../observe/open-connections.ts';
import type { Clock } from '../time/clock.ts';
import type { FromPrimary, FromWorker, ListingAnswer, ServiceAnswer } from './worker-messages.ts';

// Of a worker that is too busy to answer within this, what is known has to do.
const ANSWER_TIMEOUT_MS = 1_000;
// How much later than the grace a worker tells that a connection is closed.
const CLOSE_MARGIN_MS = 5_000;

/** Each has the number of its question. */
export type Answer = Extract<FromWorker, { readonly type: 'status' | 'listing' | 'connection-closed' }>;

export class WorkerQuestions {
  readonly #send: (message: FromPrimary) => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #asked = 0;

  constructor(send: (message: FromPrimary) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** What it says of its services; nothing when it does not answer in time. */
  async status(): Promise<readonly ServiceAnswer[]> {
    const answer = await this.#ask('status', (question) => ({ type: 'status-question', question }));
    return answer?.services ?? [];
  }

  /** The next open connections of a listing, which begins with the first question; undefined when it does not answer in time. */
  listing(listing: number, filter: ConnectionFilter): Promise<ListingAnswer | undefined> {
    return this.#ask('listing', (question) => ({ type: 'listing-question', question, listing, filter }));
  }

  /** Has it end a connection. Whether there is none by then that it knew; undefined when it does not answer in time. */
  async closeConnection(connection: number, graceMs: number): Promise<boolean | undefined> {
    const answer = await this.#ask(
      'connection-closed',
      (question) => ({ type: 'close-connection', question, connection, graceMs }),
      graceMs + CLOSE_MARGIN_MS,
    );
    return answer?.wasOpen;
  }

  /** An answer. One that comes too late changes nothing. */
  answered(answer: Answer): void {
    this.#settle(answer.question, answer);
  }

  /** It will not answer any more. */
  exited(): void {
    for (const question of [...this.#waiting.keys()]) this.#settle(question, undefined);
  }

  #ask<Type extends Answer['type']>(
    type: Type,
    message: (question: number) => FromPrimary,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Extract<Answer, { readonly type: Type }> | undefined> {
    return new Promise((resolve) => {
      this.#asked += 1;
      const question = this.#asked;
      const timer = this.#clock.after(timeoutMs, () => this.#settle(question, undefined));
      const isExpected = (answer: Answer): answer is Extract<Answer, { readonly type: Type }> => answer.type === type;
      this.#waiting.set(question, (answer) => {
        timer.cancel();
        resolve(answer !== undefined && isExpected(answer) ? answer : undefined);
      });
      this.#send(message(question));
    });
  }

  #settle(question: number, answer: Answer | undefined): void {
    const settle = this.#waiting.get(question);
    this.#waiting.delete(question);
    settle?.(answer);
  }
}
