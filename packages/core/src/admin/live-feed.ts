// What the admin page hears each second, as server-sent events (HTML standard, §9.2): the status, and the events since
// the last one. Asked for only while somebody looks, and once for all of them.

import type { Server } from '../server.ts';
import type { Clock, Timer } from '../time/clock.ts';
import type { EventLog } from './event-log.ts';

/** Takes a piece of the stream; false when the viewer is slower than it comes. */
export type Viewer = (text: string) => boolean;

const INTERVAL_MS = 1_000;

const eventText = (name: string, value: unknown): string => `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;

export class LiveFeed {
  readonly #server: Pick<Server, 'status'>;
  readonly #log: EventLog;
  readonly #clock: Clock;
  /** Who looks, and the last event that each was told. */
  readonly #viewers = new Map<Viewer, number>();
  /** A viewer that did not take the last piece misses the next ones, until it has room. */
  readonly #slow = new Set<Viewer>();
  #timer: Timer | undefined;
  #isAsking = false;

  constructor(server: Pick<Server, 'status'>, log: EventLog, clock: Clock) {
    this.#server = server;
    this.#log = log;
    this.#clock = clock;
  }

  /** Starts telling a viewer; the function returned ends it. */
  join(viewer: Viewer): () => void {
    this.#viewers.set(viewer, 0);
    this.#timer ??= this.#clock.every(INTERVAL_MS, () => void this.#tell());
    void this.#tell();
    return () => {
      this.#viewers.delete(viewer);
      this.#slow.delete(viewer);
      if (this.#viewers.size === 0) this.close();
    };
  }

  /** A slow viewer has room again. */
  hasRoom(viewer: Viewer): void {
    this.#slow.delete(viewer);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#viewers.clear();
    this.#slow.clear();
  }

  async #tell(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // A server that can't say how it is has nothing to show this time.
    const status = await this.#server.status().catch(() => undefined);
    this.#isAsking = false;
    if (status === undefined) return;
    const text = eventText('status', { atMs: this.#clock.wallMs(), status });
    const { events } = this.#log;
    for (const [viewer, lastId] of this.#viewers) {
      if (this.#slow.has(viewer)) continue;
      const news = events.filter(({ id }) => id > lastId);
      this.#viewers.set(viewer, events.at(-1)?.id ?? lastId);
      if (!viewer(news.length === 0 ? text : text + eventText('events', news))) this.#slow.add(viewer);
    }
  }
}
