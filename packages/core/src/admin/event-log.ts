// The last events of a program, as the diagnostics channels of its primary tell them, for who looks at the admin page.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ListenerEventMessage } from '../listener/states.ts';
import type { ServerEventMessage } from '../server.ts';
import type { WorkerEventMessage } from '../supervisor/worker-exits.ts';
import type { Clock } from '../time/clock.ts';

export interface AdminEvent {
  /** Unique, and growing. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly what: string;
}

// A screenful or two.
const MAX_EVENTS = 100;

export class EventLog {
  readonly #clock: Clock;
  readonly #ignored: ReadonlySet<string>;
  readonly #stop: (() => void)[] = [];
  #events: readonly AdminEvent[] = [];
  #lastId = 0;

  /** Of the services in `ignored` nothing is noted: the control socket is a server too. */
  constructor(clock: Clock, ignored: readonly string[]) {
    this.#clock = clock;
    this.#ignored = new Set(ignored);
    // The control socket is a server without workers, and told of as such.
    this.#listen('wellknown:server', (message) => {
      const { role, to } = message as ServerEventMessage;
      return role === 'primary' ? `server: ${to}` : undefined;
    });
    this.#listen('wellknown:listener', (message) => {
      const { service, endpoint, to } = message as ListenerEventMessage;
      return this.#ignored.has(service) ? undefined : `${service} ${endpoint}: ${to}`;
    });
    this.#listen('wellknown:worker', (message) => {
      const { slot, workerId, generation, to, why } = message as WorkerEventMessage;
      return `worker ${slot} (number ${workerId}, generation ${generation}): ${to}${why === undefined ? '' : `, ${why}`}`;
    });
  }

  /** The oldest first. */
  get events(): readonly AdminEvent[] {
    return this.#events;
  }

  note(what: string): void {
    const event = { id: (this.#lastId += 1), atMs: this.#clock.wallMs(), what };
    this.#events = [...this.#events.slice(1 - MAX_EVENTS), event];
  }

  close(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  #listen(channel: string, words: (message: unknown) => string | undefined): void {
    const listener = (message: unknown): void => {
      const what = words(message);
      if (what !== undefined) this.note(what);
    };
    subscribe(channel, listener);
    this.#stop.push(() => {
      unsubscribe(channel, listener);
    });
  }
}
