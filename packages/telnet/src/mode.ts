// Who edits the line and who echoes: the client (line mode), or we (character mode).
//
// Character mode is WILL ECHO and WILL SGA together (RFC 857, RFC 858): with SGA alone inetutils and PuTTY send every
// key and show it themselves, with ECHO alone they keep the line to themselves and show nothing, which is what a
// password wants. It is in force when the client agrees to ECHO, whatever it says to SGA: BusyBox agrees to SGA and
// takes it back, and sends every key all the same.

import type { Clock, Timer } from '@wellknown/core';
import type { Answers } from './answers.ts';
import { OPTIONS } from './engine/codes.ts';
import type { PeerOptions } from './peer-options.ts';

/** `line`: the client edits and shows lines. `character`: it sends every key as it is hit, and shows what we send. */
export type Mode = 'line' | 'character';

export interface ModeParts {
  readonly clock: Clock;
  readonly options: PeerOptions;
  readonly answers: Answers;
  readonly changed: (mode: Mode) => void;
}

export interface ModeControl {
  readonly mode: Mode;
  /** Somebody has asked for a mode. */
  readonly isChosen: boolean;
  /** Asks the client, and resolves with the mode in force once it has answered, or late (`answers.ts`). */
  set(mode: Mode): Promise<Mode>;
  /** Takes the echo from a client in line mode, for a password; gives it back. */
  hideEcho(): void;
  showEcho(): void;
  /** The peer has said something about an option. */
  noticeAnswer(): void;
  closed(): void;
}

// A client that obeys WONT ECHO without saying so must not keep the next password waiting for its answer, which takes
// no longer than this to come where one comes at all.
const UNCONFIRMED_MS = 1000;
const ECHO = OPTIONS.ECHO.code;
const SGA = OPTIONS.SGA.code;

export function createModeControl({ clock, options, answers, changed }: ModeParts): ModeControl {
  let wanted: Mode = 'line';
  let announced: Mode = 'line';
  let isChosen = false;
  let over = false;
  let unconfirmed: Timer | undefined;

  const inForce = (): Mode => (wanted === 'character' && options.isOn('us', ECHO) ? 'character' : 'line');
  const announce = (): void => {
    const mode = inForce();
    if (mode === announced) return;
    announced = mode;
    changed(mode);
  };
  const assumeLater = (): void => {
    unconfirmed?.cancel();
    if (over) return;
    unconfirmed = clock.after(UNCONFIRMED_MS, () => {
      options.assumeOff('us', ECHO);
      options.assumeOff('us', SGA);
    });
  };

  return {
    get mode() {
      return inForce();
    },
    get isChosen() {
      return isChosen;
    },
    async set(mode) {
      isChosen = true;
      wanted = mode;
      const on = mode === 'character';
      options.request('us', ECHO, on);
      options.request('us', SGA, on);
      if (!on) assumeLater();
      announce();
      await answers.settled([['us', ECHO]]);
      return inForce();
    },
    hideEcho: () => options.request('us', ECHO, true),
    showEcho() {
      options.request('us', ECHO, false);
      assumeLater();
    },
    noticeAnswer() {
      announce();
      // A client without our echo must not be left with SGA: it would send keys, and show them itself.
      if (options.state('us', ECHO) === 'no') options.request('us', SGA, false);
    },
    closed() {
      over = true;
      unconfirmed?.cancel();
    },
  };
}
