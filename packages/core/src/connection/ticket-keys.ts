// The key that encrypts session tickets: made by the one process that owns a server, the same in all of its workers,
// and replaced every few hours.

import type { Clock, Timer } from '../time/clock.ts';
import { createTicketKey, TICKET_KEY_ROTATION_MS, type TlsContext } from './tls-context.ts';

export class TicketKeys {
  readonly #contexts: Set<TlsContext>;
  readonly #announce: (key: string) => void;
  #key = createTicketKey();
  #timer: Timer | undefined;

  /** `announce` is told of every key after the first, in base64. */
  constructor(services: readonly { readonly tls: TlsContext | undefined }[], announce: (key: string) => void) {
    this.#contexts = new Set(services.flatMap(({ tls }) => tls ?? []));
    this.#announce = announce;
  }

  /** The present key in base64; undefined where nothing speaks TLS. */
  get current(): string | undefined {
    return this.#contexts.size === 0 ? undefined : this.#key.toString('base64');
  }

  /** Uses the first key, and a new one from time to time. */
  start(clock: Clock): void {
    if (this.#contexts.size === 0) return;
    this.#use();
    this.#timer ??= clock.every(TICKET_KEY_ROTATION_MS, () => {
      this.#key = createTicketKey();
      this.#use();
      this.#announce(this.#key.toString('base64'));
    });
  }

  /** Further services have come. */
  add(services: readonly { readonly tls: TlsContext | undefined }[], clock: Clock): void {
    for (const { tls } of services) if (tls !== undefined) this.#contexts.add(tls);
    this.start(clock);
  }

  /** These are all that there are now. */
  keepOnly(services: readonly { readonly tls: TlsContext | undefined }[]): void {
    const present = new Set(services.map(({ tls }) => tls));
    for (const context of this.#contexts) if (!present.has(context)) this.#contexts.delete(context);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #use(): void {
    for (const context of this.#contexts) context.setTicketKey(this.#key);
  }
}
