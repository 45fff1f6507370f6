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
  readonly #leaseAnswers = new Map<number, (verdict: LeaseVerdict) => void>();
  readonly #placeAnswers = new Map<number, (isGranted: boolean) => void>();
  readonly #siblings = new Map<number, (message: unknown) => void>();
  #questions = 0;

  open(events: PrimaryChannelEvents): void {
    process.on('message', (raw, carried) => {
      const message = messageFromPrimary(raw);
      if (message?.type === 'lease-answer') this.#answered(message.question, message.verdict);
      else if (message?.type === 'place-answer') this.#placeAnswered(message.question, message.isGranted);
      else if (message?.type === 'told') this.#siblings.get(message.service)?.(message.message);
      else if (message !== undefined) events.received(message, carried);
    });
    // Otherwise node ends a worker at once when its primary dies, and what is in flight with it.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    process.on('disconnect', () => {
      // There is no primary to ask: an address may not have more than the free quota now.
      for (const question of [...this.#leaseAnswers.keys()]) this.#answered(question, 'address-limit');
      for (const question of [...this.#placeAnswers.keys()]) this.#placeAnswered(question, false);
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
      ask: (key) =>
        new Promise((resolve) => {
          this.#questions += 1;
          this.#leaseAnswers.set(this.#questions, resolve);
          this.send({ type: 'lease', service, key, question: this.#questions });
        }),
      release: (key) => this.send({ type: 'release', service, key }),
    };
  }

  /** The named places of a service, which the primary counts. */
  placesOf(service: number): PlaceMessages {
    return {
      ask: (name, max) =>
        new Promise((resolve) => {
          // Of a primary that is gone there is no answer.
          if (!process.connected) {
            resolve(false);
            return;
          }
          this.#questions += 1;
          this.#placeAnswers.set(this.#questions, resolve);
          this.send({ type: 'place-wanted', service, name, max, question: this.#questions });
        }),
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

  #placeAnswered(question: number, isGranted: boolean): void {
    this.#placeAnswers.get(question)?.(isGranted);
    this.#placeAnswers.delete(question);
  }

  #answered(question: number, verdict: LeaseVerdict): void {
    this.#leaseAnswers.get(question)?.(verdict);
    this.#leaseAnswers.delete(question);
  }
}
