// A worker's end of the channel to its primary: what it says, and its questions that await an answer.

import cluster from 'node:cluster';
import type { LeaseVerdict } from '../accept/address-ledger.ts';
import type { Leases } from '../accept/admission.ts';
import type { PlaceMessages } from '../accept/shared-places.ts';
import type { Siblings } from '../protocol.ts';
import { envelope, messageFromPrimary, type FromPrimary, type FromWorker } from './worker-messages.ts';

/** Told what comes over the channel. */
export interface PrimaryChannelEvents {
  /** `carried` is the handle that came along, if any. */
  received(message: FromPrimary, carried: unknown): void;
  /** The primary is gone. */
  lost(): void;
}

export class PrimaryChannel {
  // An address may not have more than the free quota once there is no primary to ask.
  readonly #leases = new Questions<LeaseVerdict>('address-limit');
  readonly #places = new Questions<boolean>(false);
  readonly #siblings = new Map<number, (message: unknown) => void>();

  open(events: PrimaryChannelEvents): void {
    process.on('message', (raw, carried) => {
      const message = messageFromPrimary(raw);
      if (message?.type === 'lease-answer') this.#leases.answered(message.question, message.verdict);
      else if (message?.type === 'place-answer') this.#places.answered(message.question, message.isGranted);
      else if (message?.type === 'told') this.#siblings.get(message.service)?.(message.message);
      else if (message !== undefined) events.received(message, carried);
    });
    // Otherwise node ends a worker at once when its primary dies, and what is in flight with it.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    process.on('disconnect', () => {
      this.#leases.lost();
      this.#places.lost();
      events.lost();
    });
  }

  /** What the primary can't be told any more is dropped: that it is gone arrives as `lost`. */
  send(message: FromWorker): void {
    if (process.connected) process.send?.(envelope(message), undefined, {}, () => undefined);
  }

  /** The last message: `sent` is called once it is on its way, or can't be. */
  sendLast(message: FromWorker, sent: () => void): void {
    if (process.connected) process.send?.(envelope(message), undefined, {}, sent);
    else sent();
  }

  /** The places of a service that the primary's ledger gives out. */
  leasesOf(service: number): Leases {
    return {
      ask: (key) => this.#leases.ask((question) => this.send({ type: 'lease', service, key, question })),
      release: (key) => this.send({ type: 'release', service, key }),
    };
  }

  /** The named places of a service, which the primary counts. */
  placesOf(service: number): PlaceMessages {
    return {
      ask: (name, max) =>
        this.#places.ask((question) => this.send({ type: 'place-wanted', service, name, max, question })),
      joined: (name) => this.send({ type: 'place-joined', service, name }),
      released: (name) => this.send({ type: 'place-released', service, name }),
    };
  }

  /** The same service in the other workers. */
  siblingsOf(service: number): Siblings {
    return {
      tell: (message) => this.send({ type: 'tell', service, message }),
      listen: (listener) => void this.#siblings.set(service, listener),
    };
  }
}

/** Questions of one kind that await their answers. Those to a primary that is gone have one without it. */
class Questions<Answer> {
  readonly #whenLost: Answer;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  constructor(whenLost: Answer) {
    this.#whenLost = whenLost;
  }

  ask(say: (question: number) => void): Promise<Answer> {
    if (!process.connected) return Promise.resolve(this.#whenLost);
    return new Promise((resolve) => {
      this.#asked += 1;
      this.#waiting.set(this.#asked, resolve);
      say(this.#asked);
    });
  }

  answered(question: number, answer: Answer): void {
    this.#waiting.get(question)?.(answer);
    this.#waiting.delete(question);
  }

  lost(): void {
    for (const question of [...this.#waiting.keys()]) this.answered(question, this.#whenLost);
  }
}
