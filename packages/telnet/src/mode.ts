// Who edits the line and who echoes: the client (line mode), or we (character mode).
//
// Character mode is WILL ECHO and WILL SGA together (RFC 857, RFC 858): with SGA alone inetutils and PuTTY send every
// key and show it themselves, with ECHO alone they keep the line to themselves and show nothing, which is what a
// password wants. It is in force when the client agrees to ECHO, whatever it says to SGA: BusyBox agrees to SGA and
// takes it back, and sends every key all the same.

import type { Clock, Timer } from '@wellknown/core';
import type { Answers } from './answers.ts';
import { OPTIONS } from './engine/codes.ts';
import type { Negotiation, Side } from './engine/negotiation.ts';

/** `line`: the client edits and shows lines. `character`: it sends every key as it is hit, and shows what we send. */
export type Mode = 'line' | 'character';

export interface ModeParts {
  readonly clock: Clock;
  readonly negotiation: Negotiation;
  readonly answers: Answers;
  /** Asks for an option and sends what there is to send. */
  readonly request: (side: Side, option: number, wanted: boolean) => void;
  /** Goes on without the confirmation of an option that we stopped. */
  readonly assumeOff: (side: Side, option: number) => void;
  readonly changed: (mode: Mode) => void;
}

export interface ModeControl {
  readonly mode: Mode;
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

export function createModeControl(parts: ModeParts): ModeControl {
  const { clock, negotiation, answers, request, assumeOff, changed } = parts;
  let wanted: Mode = 'line';
  let announced: Mode = 'line';
  let over = false;
  let unconfirmed: Timer | undefined;

  const inForce = (): Mode => (wanted === 'character' && negotiation.isOn('us', ECHO) ? 'character' : 'line');
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
      assumeOff('us', ECHO);
      assumeOff('us', SGA);
    });
  };

  return {
    get mode() {
      return inForce();
    },
    async set(mode) {
      wanted = mode;
      const on = mode === 'character';
      request('us', ECHO, on);
      request('us', SGA, on);
      if (!on) assumeLater();
      announce();
      await answers.settled([['us', ECHO]]);
      return inForce();
    },
    hideEcho: () => request('us', ECHO, true),
    showEcho() {
      request('us', ECHO, false);
      assumeLater();
    },
    noticeAnswer() {
      announce();
      // A client without our echo must not be left with SGA: it would send keys, and show them itself.
      if (negotiation.state('us', ECHO) === 'no') request('us', SGA, false);
    },
    closed() {
      over = true;
      unconfirmed?.cancel();
    },
  };
}
