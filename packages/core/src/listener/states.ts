// What may happen to a listener, published on `wellknown:listener`. Each process tells of its own part: the primary
// binds and closes, the process that accepts listens, is suspended, and drains.
//
//     unbound ──▶ bound ──▶ listening ◀──▶ suspended
//                   │           └────┬────────┘
//                   │                ▼
//                   │            draining
//                   └────────────────┴──▶ closed

import { listenerChannel } from '../diagnostics.ts';

export type ListenerState = 'unbound' | 'bound' | 'listening' | 'suspended' | 'draining' | 'closed';

/** What `wellknown:listener` carries. */
export interface ListenerEventMessage {
  readonly role: 'standalone' | 'primary' | 'worker';
  /** The name of the protocol. */
  readonly service: string;
  /** Its number in the program; with SO_REUSEPORT several have one endpoint. */
  readonly listener: number;
  readonly endpoint: string;
  readonly from: ListenerState;
  readonly to: ListenerState;
}

/** A missing entry means that there is nothing to tell. */
const LISTENER_TRANSITIONS: Readonly<Record<ListenerState, readonly ListenerState[]>> = {
  unbound: ['bound'],
  bound: ['listening', 'closed'],
  listening: ['suspended', 'draining', 'closed'],
  suspended: ['listening', 'draining', 'closed'],
  draining: ['closed'],
  closed: [],
};

/** The listeners of one process, by their number in the program. */
export class ListenerStates {
  readonly #role: ListenerEventMessage['role'];
  readonly #listeners = new Map<number, { readonly service: string; readonly endpoint: string; at: ListenerState }>();

  constructor(role: ListenerEventMessage['role']) {
    this.#role = role;
  }

  /** A listener appears. In a worker it is bound already: the primary did that. */
  appears(listener: number, service: string, endpoint: string, at: 'unbound' | 'bound' = 'bound'): void {
    if (!this.#listeners.has(listener)) this.#listeners.set(listener, { service, endpoint, at });
  }

  move(listener: number, to: ListenerState): void {
    const known = this.#listeners.get(listener);
    if (known === undefined || !LISTENER_TRANSITIONS[known.at].includes(to)) return;
    const { service, endpoint, at: from } = known;
    known.at = to;
    if (to === 'closed') this.#listeners.delete(listener);
    if (!listenerChannel.hasSubscribers) return;
    const message: ListenerEventMessage = { role: this.#role, service, listener, endpoint, from, to };
    listenerChannel.publish(message);
  }

  moveAll(to: ListenerState): void {
    for (const listener of [...this.#listeners.keys()]) this.move(listener, to);
  }
}
