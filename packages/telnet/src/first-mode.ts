// The mode that a session begins in, where the server says so and not its handler.

import type { Mode, ModeControl } from './mode.ts';
import type { OptionFeature } from './peer-options.ts';
import { isInteractive, type Terminal } from './terminal.ts';

export interface FirstModeParts {
  readonly wanted: Mode | 'auto';
  readonly mode: ModeControl;
  readonly terminal: () => Terminal;
  /** The client has answered, or will not. */
  readonly decided: () => void;
}

export interface FirstMode extends OptionFeature {
  /** The client was asked and has not answered: a session that begins now may begin in the wrong one. */
  readonly isPending: boolean;
  /** What every client is asked. */
  start(): void;
}

export function createFirstMode({ wanted, mode, terminal, decided }: FirstModeParts): FirstMode {
  let isPending = false;
  let isDone = wanted !== 'auto';

  const ask = (): void => {
    isDone = true;
    // The handler has been quicker, and goes before.
    if (mode.isChosen) return;
    isPending = true;
    void mode.set('character').then(() => {
      isPending = false;
      decided();
    });
  };

  return {
    get isPending() {
      return isPending;
    },
    start() {
      if (wanted === 'character') ask();
    },
    named() {
      if (isDone) return;
      isDone = true;
      if (isInteractive(terminal())) ask();
    },
    changed: () => undefined,
    received: () => undefined,
  };
}
