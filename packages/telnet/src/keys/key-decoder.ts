// Bytes of data in, keys out. No sockets, no timers.
//
// A sequence may be cut anywhere, also inside a character of UTF-8. ESC alone is a key and the beginning of others, which
// only time can tell apart: while `waiting` is true the carrier runs a timer, and says `flush` when nothing has come.

import { isControl, keyOfCsi, pressed, typed, UNKNOWN, type Key } from './key.ts';
import {
  controlKey,
  KEYPAD,
  KEY_OF_FINAL,
  LINUX_CONSOLE,
  modifiersOf,
  RXVT_ARROWS,
  withModifiers,
} from './key-sequences.ts';

export interface KeyDecoder {
  /** Feeds data and returns the keys that it completes. Keeps no reference to `bytes`. Never throws. */
  push(bytes: Uint8Array): Key[];
  /** True while what has come may be a key or the beginning of another: a lone ESC, an unfinished sequence. */
  readonly waiting: boolean;
  /** The end of a paste has not come. */
  readonly isPasting: boolean;
  /** No more of it will come: the keys it is, as it stands. */
  flush(): Key[];
}

/** How long ESC may be the beginning of a sequence: a terminal sends one at once, so only the network can part it. */
export const ESCAPE_TIMEOUT_MS = 100;

// Parameters of a sequence; the longest that any terminal sends for a key has under twenty. What is longer is read to its
// end and is one unknown key.
const MAX_SEQUENCE_CHARACTERS = 64;
const PASTE_END = '\u001b[201~';
const PASTE_BEGIN_NUMBER = 200;
// The three bytes of a click in X10 mode, after `CSI M`.
const X10_MOUSE_CHARACTERS = 3;

type State = 'ground' | 'escape' | 'csi' | 'csi-linux' | 'ss3' | 'mouse' | 'paste';

const ETX = 0x03;

export interface KeyDecoderOptions {
  readonly decode?: (bytes: Uint8Array) => string;
  /** It begins in the middle of a paste. */
  readonly isPasting?: boolean;
}

/**
 * A decoder for one terminal. Text is UTF-8, and what is none becomes U+FFFD; or what `decode` says, for character sets
 * of one byte for each character.
 */
export function createKeyDecoder({ decode, isPasting = false }: KeyDecoderOptions = {}): KeyDecoder {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const textOf = decode ?? ((bytes: Uint8Array) => utf8.decode(bytes, { stream: true }));
  let state: State = isPasting ? 'paste' : 'ground';
  /** Of a sequence: what stands between its introducer and its final byte. Of a paste: what has not been given out. */
  let held = '';
  let overlong = false;
  let mouseLeft = 0;
  /** How much of the end of a paste has come. */
  let endMatched = 0;
  /** ESC ESC before a sequence: its key with Alt (rxvt, PuTTY). */
  let isAlt = false;
  let lastWasCr = false;
  let keys: Key[] = [];

  const press = (name: string): void => {
    keys.push(pressed(isAlt ? withModifiers(name, ['alt']) : name));
    toGround();
  };
  const toGround = (): void => {
    state = 'ground';
    held = '';
    overlong = false;
    isAlt = false;
  };

  const ground = (character: string, code: number): void => {
    if (code === 0x1b) state = 'escape';
    else if (isControl(code)) press(controlKey(code));
    // C1 controls type nothing and mean nothing in UTF-8.
    else if (code >= 0x80 && code < 0xa0) return;
    else keys.push(typed(character));
  };

  const escape = (character: string, code: number): void => {
    if (character === '[') state = 'csi';
    else if (character === 'O') state = 'ss3';
    else if (code === 0x1b) {
      if (isAlt) keys.push(pressed('escape'));
      isAlt = true;
    } else if (code < 0x20 || code === 0x7f) press(withModifiers(controlKey(code), ['alt']));
    else press(`alt-${character}`);
  };

  const csi = (character: string, code: number): void => {
    if (code === 0x1b || isControl(code) || code > 0x7e) {
      // Broken off (ECMA-48 has no such character here): what follows is read for itself.
      press('unknown');
      step(character);
      return;
    }
    if (character === '[' && held === '') {
      state = 'csi-linux';
      return;
    }
    const isRxvt = character === '$' && /^\d+$/.test(held);
    if (code >= 0x40 || isRxvt) {
      endCsi(character);
      return;
    }
    overlong ||= held.length >= MAX_SEQUENCE_CHARACTERS;
    if (!overlong) held += character;
  };

  const endCsi = (final: string): void => {
    const parameters = held;
    if (final === 'M' && parameters === '') {
      toGround();
      state = 'mouse';
      mouseLeft = X10_MOUSE_CHARACTERS;
      return;
    }
    if (final === '~' && Number(parameters) === PASTE_BEGIN_NUMBER) {
      toGround();
      state = 'paste';
      return;
    }
    const key = overlong ? UNKNOWN : keyOfCsi(parameters, final);
    // A character that `modifyOtherKeys` has spelled out types what it says.
    if (key.text !== undefined && !isAlt) {
      keys.push(key);
      toGround();
    } else press(key.name);
  };

  const ss3 = (character: string, code: number): void => {
    // Some old terminals put the modifier here: `SS3 5 A`.
    if (code >= 0x30 && code <= 0x39 && held.length < 2) {
      held += character;
      return;
    }
    if (isControl(code) || code > 0x7e) {
      press('unknown');
      step(character);
      return;
    }
    const pad = KEYPAD[character];
    const rxvt = RXVT_ARROWS[character];
    const key = KEY_OF_FINAL[character];
    if (key !== undefined) press(withModifiers(key, modifiersOf(held === '' ? undefined : Number(held))));
    else if (rxvt !== undefined) press(withModifiers(rxvt, ['ctrl']));
    else if (pad === undefined) press('unknown');
    else if (pad.length > 1 || isAlt) press(pad);
    else {
      keys.push(typed(pad));
      toGround();
    }
  };

  const paste = (character: string, code: number): void => {
    // No terminal pastes a ^C, and who hits it where the end of a paste has got lost must be heard.
    if (code === ETX) {
      endMatched = 0;
      givePaste();
      press(controlKey(ETX));
      return;
    }
    if (character === PASTE_END[endMatched]) {
      endMatched += 1;
      if (endMatched < PASTE_END.length) return;
      endMatched = 0;
      givePaste();
      toGround();
      return;
    }
    // What looked like the end was text. Only its first character can begin another.
    held += PASTE_END.slice(0, endMatched);
    endMatched = character === PASTE_END[0] ? 1 : 0;
    if (endMatched === 0) held += character;
  };

  /** Gives out what was pasted so far, so that no paste is held in memory whole. */
  const givePaste = (): void => {
    if (held !== '') keys.push({ name: 'paste', text: held });
    held = '';
  };

  const step = (character: string): void => {
    const code = character.codePointAt(0) ?? 0;
    // Enter is CR NUL or CR LF on the network virtual terminal (RFC 854), CR under BINARY.
    const follows = lastWasCr && (code === 0x00 || code === 0x0a);
    lastWasCr = code === 0x0d;
    if (follows) return;
    switch (state) {
      case 'ground':
        ground(character, code);
        return;
      case 'escape':
        escape(character, code);
        return;
      case 'csi':
        csi(character, code);
        return;
      case 'csi-linux':
        press(LINUX_CONSOLE[character] ?? 'unknown');
        return;
      case 'ss3':
        ss3(character, code);
        return;
      case 'mouse':
        mouseLeft -= 1;
        if (mouseLeft === 0) toGround();
        return;
      case 'paste':
        paste(character, code);
        return;
    }
  };

  const taken = (): Key[] => {
    if (state === 'paste') givePaste();
    const completed = keys;
    keys = [];
    return completed;
  };

  return {
    push(bytes) {
      for (const character of textOf(bytes)) step(character);
      return taken();
    },
    get isPasting() {
      return state === 'paste';
    },
    get waiting() {
      return state !== 'ground' && state !== 'paste';
    },
    flush() {
      switch (state) {
        case 'ground':
        case 'paste':
          return [];
        case 'escape':
          press('escape');
          break;
        case 'csi':
        case 'ss3':
          // ESC and a letter typed one after the other, or Alt with one of these two.
          if (held === '' && !overlong) press(state === 'csi' ? 'alt-[' : 'alt-O');
          else press('unknown');
          break;
        case 'csi-linux':
        case 'mouse':
          press('unknown');
          break;
      }
      return taken();
    },
  };
}
