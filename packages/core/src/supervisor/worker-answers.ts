// A worker's answers to what its primary asks of its services.

import type { ConnectionListing } from '../accept/connection-listing.ts';
import type { ProcessConnections } from '../accept/process-connections.ts';
import type { ConnectionFilter } from '../observe/open-connections.ts';
import type { ServiceRuntime } from '../accept/service-runtime.ts';
import type { FromPrimary, FromWorker } from './worker-messages.ts';

export type Question = Extract<
  FromPrimary,
  { readonly type: 'status-question' | 'listing-question' | 'listing-end' | 'close-connection' }
>;

export class WorkerAnswers {
  readonly #services: readonly ServiceRuntime[];
  readonly #connections: ProcessConnections;
  readonly #send: (answer: FromWorker) => void;
  /** Those that have begun and not come to their end. */
  readonly #listings = new Map<number, ConnectionListing>();

  constructor(
    services: readonly ServiceRuntime[],
    connections: ProcessConnections,
    send: (answer: FromWorker) => void,
  ) {
    this.#services = services;
    this.#connections = connections;
    this.#send = send;
  }

  asked(question: Question): void {
    switch (question.type) {
      case 'status-question':
        this.#send({
          type: 'status',
          question: question.question,
          services: this.#services.map((service) => ({ share: service.share(), pairs: service.pairs() })),
        });
        return;
      case 'listing-question':
        this.#list(question);
        return;
      case 'listing-end':
        this.#listings.delete(question.listing);
        return;
      case 'close-connection':
        void this.#close(question);
    }
  }

  #list({ question, listing, filter }: Extract<Question, { readonly type: 'listing-question' }>): void {
    const known = this.#listings.get(listing) ?? this.#begin(filter);
    const answer = known?.next() ?? { connections: [], isLast: true };
    if (known === undefined || answer.isLast) this.#listings.delete(listing);
    else this.#listings.set(listing, known);
    this.#send({ type: 'listing', question, ...answer });
  }

  /** Undefined where it is about a service that only workers of another generation have: the primary has looked at the rest. */
  #begin(filter: ConnectionFilter): ConnectionListing | undefined {
    try {
      return this.#connections.listing(filter);
    } catch {
      return undefined;
    }
  }

  async #close({
    question,
    connection,
    graceMs,
  }: Extract<Question, { readonly type: 'close-connection' }>): Promise<void> {
    const wasOpen = await this.#connections.closeNumber(connection, graceMs);
    this.#send({ type: 'connection-closed', question, wasOpen });
  }
}
