// What a key is, and which one a sequence of ECMA-48 (CSI) stands for.

import {
  controlKey,
  KEY_OF_FINAL,
  KEY_OF_NUMBER,
  modifiersOf,
  RXVT_ARROWS,
  RXVT_FINALS,
  withModifiers,
} from './key-sequences.ts';

/** One key, or one character that was typed. */
export interface Key {
  /**
   * A character stands for itself (`a`, `é`, `?`, and `-`). Other keys have names, with modifiers before them in the
   * order ctrl, alt, shift: `enter`, `tab`, `backspace`, `escape`, `up`, `page-down`, `f5`, `ctrl-c`, `alt-b`,
   * `ctrl-left`, `shift-tab`. `paste` is text from the clipboard, where the terminal marks it; `unknown` a sequence
   * that no table has.
   */
  readonly name: string;
  /** What it types: the character, or the pasted text. Undefined for all other keys. */
  readonly text: string | undefined;
}

export const isControl = (code: number): boolean => code < 0x20 || code === 0x7f;
export const typed = (text: string): Key => ({ name: text, text });
export const pressed = (name: string): Key => ({ name, text: undefined });
export const UNKNOWN: Key = pressed('unknown');

/** The key that `CSI parameters final` stands for. */
export function keyOfCsi(parameters: string, final: string): Key {
  const numbers = /^\d*(?:;\d*)*$/.test(parameters) ? parameters.split(';').map(Number) : undefined;
  // Private parameters: answers to questions, clicks in SGR mode.
  if (numbers === undefined) return UNKNOWN;
  const [first = 0, second, third] = numbers;
  const rxvtModifiers = RXVT_FINALS[final];
  if (final === '~' || rxvtModifiers !== undefined) {
    if (final === '~' && first === 27 && third !== undefined) return characterKey(third, second);
    const key = KEY_OF_NUMBER[first];
    return key === undefined ? UNKNOWN : pressed(withModifiers(key, rxvtModifiers ?? modifiersOf(second)));
  }
  if (final === 'u') return characterKey(first, second);
  if (final === 'Z') return pressed(withModifiers('tab', [...modifiersOf(second), 'shift']));
  const rxvt = RXVT_ARROWS[final];
  if (rxvt !== undefined) return pressed(withModifiers(rxvt, ['shift']));
  const key = KEY_OF_FINAL[final];
  return key === undefined ? UNKNOWN : pressed(withModifiers(key, modifiersOf(second)));
}

/** A character with its modifiers, as `modifyOtherKeys` of xterm and the protocols after it spell them out. */
function characterKey(code: number, modifier: number | undefined): Key {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return UNKNOWN;
  const modifiers = modifiersOf(modifier);
  if (isControl(code)) return pressed(withModifiers(controlKey(code), modifiers));
  const character = String.fromCodePoint(code);
  const held = modifiers.filter((each) => each !== 'shift');
  return held.length === 0 ? typed(character) : pressed(withModifiers(character.toLowerCase(), held));
}
