// The screen of a client, as far as the line editor uses it.

import type { Terminal } from '../terminal.ts';
import type { Screen } from './layout.ts';

// What obeys ECMA-48, as far as the cursor goes. All of it descends from the VT100.
const ANSI =
  /^(?:xterm|vt[1-5]\d\d|ansi|linux|screen|tmux|rxvt|putty|konsole|gnome|vte|st|cygwin|alacritty|foot|kitty|wezterm|iterm|ghostty|mintty|nsterm|syncterm|pcansi|scoansi|dec-vt)/;

export const screenOf = ({ type, columns, rows, abilities }: Terminal): Screen => ({
  columns: Math.max(2, columns),
  rows: Math.max(1, rows),
  hasCursor: ANSI.test(type) || abilities.includes('vt100'),
});
