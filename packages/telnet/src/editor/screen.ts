// The screen of a client, as far as the line editor uses it.

import type { Terminal } from '../terminal.ts';
import type { Screen } from './layout.ts';

// What obeys ECMA-48, as far as the cursor goes. All of it descends from the VT100.
const ANSI =
  /^(?:xterm|vt[1-5]\d\d|ansi|linux|screen|tmux|rxvt|putty|konsole|gnome|vte|st|cygwin|alacritty|foot|kitty|wezterm|iterm|ghostty|mintty|nsterm|syncterm|pcansi|scoansi|dec-vt)/;

// DECSET 2004. On for as long as a line is edited, as GNU readline has it: programs that are run in between, other readers
// of keys and a client that edits itself get what they have always got.
export const MARK_PASTES = '\u001b[?2004h';
export const MARK_NO_PASTES = '\u001b[?2004l';

// Those that mark what is pasted when they are asked to (DECSET 2004, an invention of xterm), and are known to swallow the
// question where a version of theirs does not.
const MARKS_PASTES =
  /^(?:xterm|screen|tmux|rxvt|putty|konsole|gnome|vte|st|alacritty|foot|kitty|wezterm|iterm|ghostty|mintty|nsterm)/;

export const marksPastes = ({ type }: Terminal): boolean => MARKS_PASTES.test(type);

export const screenOf = ({ type, columns, rows, abilities }: Terminal): Screen => ({
  columns: Math.max(2, columns),
  rows: Math.max(1, rows),
  hasCursor: ANSI.test(type) || abilities.includes('vt100'),
});
