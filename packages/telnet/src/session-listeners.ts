// Who listens to the events of a session.

import type { SessionEvents } from './session.ts';

type Listener<Event extends keyof SessionEvents> = (detail: SessionEvents[Event]) => void;

export interface SessionListeners {
  /** Returns what takes the listener off again. */
  on<Event extends keyof SessionEvents>(event: Event, listener: Listener<Event>): () => void;
  /** True when there was a listener. */
  emit<Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): boolean;
}

/** Made when something listens: most sessions listen to little, and there are thousands of them. */
type Sets = { -readonly [Event in keyof SessionEvents]?: Set<Listener<Event>> };

export function createSessionListeners(): SessionListeners {
  const sets: Sets = {};
  return {
    on<Event extends keyof SessionEvents>(event: Event, listener: Listener<Event>) {
      const those = sets[event] ?? new Set<Listener<Event>>();
      sets[event] = those as Sets[Event];
      those.add(listener);
      return () => void those.delete(listener);
    },
    emit(event, detail) {
      const those = sets[event];
      if (those === undefined) return false;
      for (const listener of those) listener(detail);
      return those.size > 0;
    },
  };
}
