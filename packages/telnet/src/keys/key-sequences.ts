// What terminals send for keys that type nothing, as tables. The forms are those of xterm ("XTerm Control Sequences",
// PC-style function keys), of the VT220 that it follows, and where they differ those of rxvt, PuTTY and the Linux
// console.

/** The final byte of `CSI … X` and of `SS3 X`. */
export const KEY_OF_FINAL: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'clear',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};

/** The keypad in application mode, `SS3 x`: what is typed there is what stands on the keys. */
export const KEYPAD: Readonly<Record<string, string>> = {
  M: 'enter',
  X: '=',
  j: '*',
  k: '+',
  l: ',',
  m: '-',
  n: '.',
  o: '/',
  p: '0',
  q: '1',
  r: '2',
  s: '3',
  t: '4',
  u: '5',
  v: '6',
  w: '7',
  x: '8',
  y: '9',
};

/** The number in `CSI n ~`. rxvt uses 7 and 8 for Home and End, PuTTY 1 and 4. */
export const KEY_OF_NUMBER: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
  25: 'f13',
  26: 'f14',
  28: 'f15',
  29: 'f16',
  31: 'f17',
  32: 'f18',
  33: 'f19',
  34: 'f20',
};

/** `CSI [ X`: the first function keys of the Linux console. */
export const LINUX_CONSOLE: Readonly<Record<string, string>> = { A: 'f1', B: 'f2', C: 'f3', D: 'f4', E: 'f5' };

/** rxvt: arrows with Shift are `CSI a`, with Control `SS3 a`. */
export const RXVT_ARROWS: Readonly<Record<string, string>> = { a: 'up', b: 'down', c: 'right', d: 'left' };

/** rxvt puts the modifiers of `CSI n ~` into the final byte. */
export const RXVT_FINALS: Readonly<Record<string, readonly Modifier[]>> = {
  $: ['shift'],
  '^': ['ctrl'],
  '@': ['ctrl', 'shift'],
};

export type Modifier = 'ctrl' | 'alt' | 'shift';

/** Control characters by what people call the key. The rest are `ctrl-a` to `ctrl-z` and a few signs. */
const CONTROL_NAMES: Readonly<Record<number, string>> = {
  0x00: 'ctrl-space',
  0x08: 'backspace',
  0x09: 'tab',
  0x0a: 'enter',
  0x0d: 'enter',
  0x1b: 'escape',
  0x1c: 'ctrl-\\',
  0x1d: 'ctrl-]',
  0x1e: 'ctrl-^',
  0x1f: 'ctrl-_',
  0x7f: 'backspace',
};

/** The key of a control character (C0 or DEL). */
export const controlKey = (code: number): string => CONTROL_NAMES[code] ?? `ctrl-${String.fromCharCode(code + 0x60)}`;

/** A key with its modifiers, always in the order ctrl, alt, shift. */
export function withModifiers(key: string, modifiers: readonly Modifier[]): string {
  const parts = (['ctrl', 'alt', 'shift'] as const).filter((each) => modifiers.includes(each));
  // `alt` of `ctrl-a` is `ctrl-alt-a`, and of `shift-tab` `alt-shift-tab`.
  const already = /^(?:(?:ctrl|alt|shift)-)+(?=.)/.exec(key)?.[0] ?? '';
  const all = [...new Set([...already.split('-').filter((part) => part !== ''), ...parts])];
  const ordered = ['ctrl', 'alt', 'shift'].filter((each) => all.includes(each));
  return [...ordered, key.slice(already.length)].join('-');
}

/** xterm's parameter: 1 plus 1 for Shift, 2 for Alt, 4 for Control. Meta and the locks above are ignored. */
export function modifiersOf(parameter: number | undefined): readonly Modifier[] {
  const bits = Math.max(0, (parameter ?? 1) - 1);
  const modifiers: Modifier[] = [];
  if ((bits & 4) !== 0) modifiers.push('ctrl');
  if ((bits & 2) !== 0) modifiers.push('alt');
  if ((bits & 1) !== 0) modifiers.push('shift');
  return modifiers;
}
