// The environment of a program that is run for a client. It begins empty. What a client says about itself gets in by
// lists alone: login servers were broken through USER, LD_PRELOAD and CREDENTIALS_DIRECTORY again and again
// (CVE-2026-24061, CVE-1999-0073, CVE-2026-28372).

import type { Terminal } from '../terminal.ts';

/** What of our own environment a program needs to find its files and speak the language of the system. */
const OWN_NAMES = /^(?:PATH|HOME|USER|LOGNAME|SHELL|TZ|TMPDIR|LANG|LANGUAGE|LC_[A-Z]+)$/;

/** Variables of the client that may be let in, by their names. Their values are checked where they come in. */
export type AcceptedVariable = 'LANG' | 'LC_ALL' | 'LC_CTYPE' | 'COLORTERM';

/** Who this process runs as, by passwd(5). */
export interface ProcessUser {
  readonly name: string;
  readonly home: string;
  /** Undefined where there is none: on Windows. */
  readonly shell: string | undefined;
}

export interface EnvironmentOptions {
  /** Our own environment. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /** Undefined where the system does not know the user. */
  readonly user?: ProcessUser | undefined;
  readonly terminal: Pick<Terminal, 'type' | 'environment'>;
  /** A dumb terminal, whatever the client's is: the program has pipes. */
  readonly isDumb: boolean;
  /** Of the client's variables, those that the operator lets in. None by default. */
  readonly accept?: readonly AcceptedVariable[];
  /** The operator's own, which go before all others. */
  readonly given?: Readonly<Record<string, string>>;
}

export function programEnvironment({
  own,
  user,
  terminal,
  isDumb,
  accept = [],
  given = {},
}: EnvironmentOptions): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own))
    if (value !== undefined && OWN_NAMES.test(name)) environment[name] = value;
  if (user !== undefined) Object.assign(environment, variablesOf(user, own));
  for (const [name, value] of terminal.environment)
    if ((accept as readonly string[]).includes(name)) environment[name] = value;
  environment.TERM = isDumb ? 'dumb' : programTerminalType(terminal.type);
  return { ...environment, ...given };
}

/**
 * Ours are those of who has started this process, which may have dropped to another user since (--run-as): a program must
 * not look for its files in a home that is not its own. Where ours name the user, they may say HOME and SHELL as they like.
 */
function variablesOf(
  { name, home, shell }: ProcessUser,
  { USER, LOGNAME }: EnvironmentOptions['own'],
): Record<string, string> {
  if ((USER ?? LOGNAME) === name) return {};
  return { USER: name, LOGNAME: name, HOME: home, ...(shell === undefined ? {} : { SHELL: shell }) };
}

// As terminfo spells its names; no slash and no colon, which led out of the terminfo directory once.
const TYPE_FORM = /^[a-z0-9][a-z0-9+._-]{0,39}$/;

/** Families of terminals whose names go on as the client gave them, and what is taken for the rest of each. */
const FAMILIES: readonly { readonly name: RegExp; readonly fallback?: string }[] = [
  { name: /^xterm(?:-(?:16|88|256)color|-mono|-direct\d*)?$/ },
  { name: /^(?:screen|tmux|rxvt|putty|konsole|gnome|vte|st|linux|cygwin|alacritty|foot)(?:-(?:16|88|256)color)?$/ },
  { name: /^(?:vt(?:52|100|102|220|320|420|510)|ansi|dumb|sun|wyse60|hp2392)$/ },
  // Emulators of xterm that terminfo may not know here.
  {
    name: /^(?:xterm|screen|tmux|rxvt|kitty|wezterm|iterm2?|ghostty|contour|mintty|nsterm)\b/,
    fallback: 'xterm-256color',
  },
  { name: /^(?:vt\d|dec-)/, fallback: 'vt100' },
  { name: /^(?:ansi|pcansi|syncterm|scoansi)\b/, fallback: 'ansi' },
];

/** The terminal type for a program: one that is known, or the nearest that is. */
export function programTerminalType(type: string): string {
  if (!TYPE_FORM.test(type)) return 'dumb';
  const family = FAMILIES.find(({ name }) => name.test(type));
  return family === undefined ? 'dumb' : (family.fallback ?? type);
}
