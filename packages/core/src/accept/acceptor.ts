// Accepts from bound sockets, and hands what comes to the admission. A worker and a process without workers differ
// only in what they do when the registry is full: a worker stops listening (`onFull`), so that the kernel's queue goes
// to the others; a process without workers leaves accepted connections unread until there is room.

import type net from 'node:net';
import { acceptFrom, type Accepting } from '../kernel/accept-from.ts';
import { descriptorOf } from '../kernel/stream-handle.ts';
import type { Accepted, ListenerTraits } from './accept-handler.ts';
import { Admission, type AdmissionOptions } from './admission.ts';
import type { ListenerTally } from './registry.ts';

export interface AcceptorOptions<Member extends Accepted> extends AdmissionOptions<Member> {
  readonly backlog: number;
  /** The drain deadline has passed with these still open: they are cut now. */
  readonly cut?: (members: readonly Member[]) => void;
}

/** The stream side of one service in one process: what is in its registry, from any number of bound sockets. */
export class Acceptor<Member extends Accepted> {
  readonly #options: AcceptorOptions<Member>;
  readonly #accepting = new Map<number, Accepting>();
  readonly #admission: Admission<Member>;
  readonly #closed: (member: Member, tally: ListenerTally) => void;
  readonly #whenIdle: (() => void)[] = [];

  constructor(options: AcceptorOptions<Member>) {
    this.#options = options;
    this.#admission = new Admission(options, () => {
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
    this.#closed = (member, tally) => this.#admission.closed(member, tally);
  }

  /**
   * Starts accepting; resolves when the kernel listens. `from` is a bound socket, or the options of a listener that
   * node:cluster shares out. `listener` is its number in the program.
   */
  listen(listener: number, from: net.Socket | net.ListenOptions, traits: ListenerTraits): Promise<void> {
    const { backlog, handler, log } = this.#options;
    const accepting = acceptFrom(from, {
      ...handler.sockets,
      backlog,
      accepted: (socket) => this.adopt(socket, traits),
      failed: (error) => log.error({ err: error }, 'a connection could not be accepted'),
    });
    this.#accepting.get(listener)?.close();
    this.#accepting.set(listener, accepting);
    return accepting.listening;
  }

  /** Stops accepting from a bound socket. What waits in the kernel's queue stays there for others that listen on it. */
  suspend(listener: number): void {
    this.#accepting.get(listener)?.close();
    this.#accepting.delete(listener);
  }

  /** The registry has another size. */
  resized(): void {
    this.#admission.resized();
  }

  /** Takes a connection that was accepted, here or by another process. */
  adopt(socket: net.Socket, traits: ListenerTraits): void {
    const descriptor = descriptorOf(socket);
    this.#admission.arrived(this.#options.handler.create(socket, traits, this.#closed), traits, descriptor);
  }

  /**
   * Stops accepting, tells every member, and resolves when the last one has closed; `graceMs` later the rest is cut.
   * May be called again with less.
   */
  async drain(graceMs: number): Promise<void> {
    for (const accepting of this.#accepting.values()) accepting.close();
    this.#accepting.clear();
    this.#admission.drain();
    if (this.#admission.isIdle) return;
    const idle = new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    const cut = (): void => {
      this.#options.cut?.([...this.#options.registry.connections()]);
      this.#admission.cut('drain-timeout');
    };
    if (graceMs <= 0) cut();
    // Repeats, for that is the kind of timer that keeps the process from ending: sockets that wait unread do not.
    const timer = this.#options.clock.every(
      Math.max(1, graceMs),
      () => {
        timer.cancel();
        cut();
      },
      { keepAlive: true },
    );
    await idle;
    timer.cancel();
  }
}
