// The signals of a program that embeds a server, as our own programs take them.

import type { Server } from './server.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

export interface StopOnSignals extends Disposable {
  /** Whether such a signal has come. */
  readonly wasAsked: boolean;
}

/**
 * Lets TERM, INT (Ctrl-C) and QUIT close the server: work in flight may finish within its drain time. A further INT or
 * QUIT ends it at once. In a worker nothing is done: its primary tells it when to go. Disposing takes the listeners
 * off again. `told` is called before each close.
 */
export function stopOnSignals(
  server: Pick<Server, 'role' | 'close'>,
  told: (signal: NodeJS.Signals, isAtOnce: boolean) => void = () => undefined,
): StopOnSignals {
  let wasAsked = false;
  const stop = (signal: NodeJS.Signals): void => {
    const isAtOnce = wasAsked && signal !== 'SIGTERM';
    wasAsked = true;
    told(signal, isAtOnce);
    void server.close(isAtOnce ? { graceMs: 0 } : {});
  };
  if (server.role !== 'worker') for (const signal of SIGNALS) process.on(signal, stop);
  return {
    get wasAsked() {
      return wasAsked;
    },
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.off(signal, stop);
    },
  };
}
