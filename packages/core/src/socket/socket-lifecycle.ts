// What the two kinds of sockets have in common: a state that only the tables of socket-state.ts move, its
// watchers, and an end that takes back whatever is under way.

import { socketChannel } from '../diagnostics.ts';
import { closedMeanwhile, statesAllowing, wrongMoment, wrongState } from './socket-state.ts';

/** What `wellknown:socket` carries. */
export interface SocketEventMessage {
  /** The socket itself: a `StreamSocket` or a `UdpSocket`. */
  readonly socket: object;
  readonly from: string;
  readonly to: string;
}

export interface SocketLifecycleOptions<State extends string, Verb extends string, Event extends string> {
  /** The socket that this is the lifecycle of. */
  readonly socket: SocketEventMessage['socket'];
  readonly type: 'stream' | 'datagram';
  readonly verbs: Readonly<Record<State, readonly Verb[]>>;
  readonly transitions: Readonly<Record<State, Readonly<Partial<Record<Event, State>>>>>;
  readonly onState: ((state: State, before: State) => void) | undefined;
}

export class SocketLifecycle<State extends string, Verb extends string, Event extends string> {
  readonly #options: SocketLifecycleOptions<State | 'unbound' | 'closed', Verb, Event>;
  readonly #watchers = new Set<() => void>();
  readonly #giveUp = new AbortController();
  #state: State | 'unbound' | 'closed' = 'unbound';

  constructor(options: SocketLifecycleOptions<State | 'unbound' | 'closed', Verb, Event>) {
    this.#options = options;
  }

  get state(): State | 'unbound' | 'closed' {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Throws WRONG_STATE, which names the verb (`called`, where the caller knows it by another name), the state and where
   * it is allowed.
   */
  require(verb: Verb, called: string = verb): void {
    if (!this.#options.verbs[this.#state].includes(verb))
      throw wrongState(this.#options.type, called, this.#state, statesAllowing(this.#options.verbs, verb));
  }

  /** The same error, where the table alone does not tell. */
  wrong(verb: Verb, state: string): Error {
    return wrongState(this.#options.type, verb, state, statesAllowing(this.#options.verbs, verb));
  }

  /** The same error, where the state allows the verb and something else does not. */
  wrongNow(called: string, circumstance: string, hint: string): Error {
    return wrongMoment(this.#options.type, called, this.#state, circumstance, hint);
  }

  /** What a verb that waited tells its caller: that the socket was closed is told in the verb's name. */
  asClosedError(verb: Verb, error: unknown): unknown {
    return error === this.#giveUp.signal.reason ? closedMeanwhile(verb) : error;
  }

  /** An event without an entry in the table changes nothing. */
  move(event: Event): void {
    const before = this.#state;
    const after = this.#options.transitions[before][event];
    if (after === undefined) return;
    this.#state = after;
    const { socket, onState } = this.#options;
    if (socketChannel.hasSubscribers)
      socketChannel.publish({ socket, from: before, to: after } satisfies SocketEventMessage);
    onState?.(after, before);
    this.changed();
  }

  /** Tells the watchers that readiness may have changed. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** How long a verb that waits may do so: until its signal aborts, or the socket is closed. */
  verbSignal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#giveUp.signal : AbortSignal.any([signal, this.#giveUp.signal]);
  }

  /** Aborts every verb that waits. */
  giveUp(): void {
    this.#giveUp.abort(closedMeanwhile('it'));
  }
}
