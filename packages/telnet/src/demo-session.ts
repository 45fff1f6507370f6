// The session that runs when no handler is given, and an example of one: a small console, as a device has it. Commands
// are rows of a table; help and completion read the same rows.

import { formatAddress } from '@wellknown/core/endpoint';
import { systemClock, type Clock } from '@wellknown/core';
import type { TelnetHandler } from './connection.ts';
import { showWindow } from './demo-window.ts';
import type { Mode } from './mode.ts';
import type { TelnetSession } from './session.ts';
import { isInteractive } from './terminal.ts';

interface Console {
  readonly session: TelnetSession;
  /** The sessions that are open, in the order they began, with the time of that. */
  readonly present: ReadonlyMap<TelnetSession, number>;
  readonly clock: Clock;
}

interface Command {
  readonly argument?: string;
  readonly help: string;
  /** Says `quit` to end the session. */
  run(console: Console, argument: string): Promise<unknown>;
}

const who = ({ remote }: TelnetSession): string => (remote.family === 'unix' ? 'a local user' : formatAddress(remote));

const COMMANDS: Readonly<Record<string, Command>> = {
  help: {
    help: 'this list',
    run: ({ session }) => session.print(HELP),
  },
  who: {
    help: 'all sessions of this server process',
    run: async ({ session, present, clock }) => {
      for (const [other, sinceMs] of present) {
        const minutes = Math.floor((clock.nowMs() - sinceMs) / 60_000);
        await session.print(
          `  ${who(other).padEnd(28)} ${other.terminal.type.padEnd(18)} ${minutes} min${other === session ? '  (you)' : ''}`,
        );
      }
    },
  },
  term: {
    help: 'what your client says about itself',
    run: ({ session }) => session.print(describeTerminal(session)),
  },
  options: {
    help: 'what your client and this server have agreed on',
    run: ({ session }) => session.print(describeNegotiation(session)),
  },
  window: {
    help: 'your window, drawn anew when you change its size',
    run: ({ session }) => showWindow(session),
  },
  keys: {
    help: 'the names of the keys that you hit',
    run: ({ session }) => showKeys(session),
  },
  edit: {
    help: 'how lines are edited here',
    run: ({ session }) => session.print(session.mode === 'character' ? EDITING : EDITED_BY_CLIENT),
  },
  echo: {
    argument: 'TEXT',
    help: 'says TEXT back',
    run: ({ session }, text) => session.print(text),
  },
  time: {
    help: "the server's time",
    run: ({ session, clock }) => session.print(new Date(clock.wallMs()).toISOString()),
  },
  password: {
    help: 'asks for a password without showing it, and forgets it',
    run: async ({ session }) => {
      const password = await session.askPassword('Password (anything, it is not kept): ');
      if (password !== undefined) await session.print(`You typed ${Array.from(password).length} characters.`);
    },
  },
  quit: {
    help: 'ends the session',
    run: () => Promise.resolve('quit'),
  },
};

// A plain lookup would also find `toString`; the network must only reach the table.
const commandNamed = (name: string): Command | undefined =>
  Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;

const HELP = Object.entries(COMMANDS)
  .map(([name, { argument = '', help }]) => `  ${`${name} ${argument}`.padEnd(12)} ${help}`)
  .join('\n');

const EDITING = `  This server edits the line, key by key:
  arrows, Home, End    move the cursor; with Control by words
  up, down, ^R         earlier lines, and a search for one
  Tab                  completes a command; twice shows those there are
  ^A ^E ^U ^K ^W ^Y    to the start, to the end; cut before, behind, a word; paste
  ^L, ^C, ^D           clear the screen, give the line up, end the session`;
const EDITED_BY_CLIENT = '  Your client edits the line, and sends it whole.';

function describeTerminal({ terminal }: TelnetSession): string {
  const rows = [
    ['type', terminal.type],
    ['size', `${terminal.columns} columns, ${terminal.rows} rows`],
    ['names', terminal.names.join(', ') || 'none given'],
    ['client', terminal.client ?? 'a terminal'],
    ['abilities', terminal.abilities.join(', ')],
    ['charset', terminal.encoding],
    ['environment', Array.from(terminal.environment, ([name, value]) => `${name}=${value}`).join(' ')],
  ] as const;
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${name.padEnd(12)} ${value}`)
    .join('\n');
}

function describeNegotiation({ agreed, mode }: TelnetSession): string {
  const namesOf = (wanted: 'us' | 'peer'): string =>
    agreed
      .filter(({ side }) => side === wanted)
      .map(({ option }) => option)
      .join(' ');
  return [
    `  client WILL  ${namesOf('peer') || 'nothing'}`,
    `  server WILL  ${namesOf('us') || 'nothing'}`,
    `  mode         ${mode === 'character' ? 'character: every key is sent as it is hit' : 'line: the client edits'}`,
  ].join('\n');
}

async function showKeys(session: TelnetSession): Promise<void> {
  if (session.mode !== 'character') {
    await session.print('  Your client keeps the keys to itself, and sends lines.');
    return;
  }
  await session.print("  Hit keys to see what they are called; 'q' goes back.");
  for await (const { name, text } of session.keys()) {
    if (name === 'q') return;
    await session.print(`  ${name === 'paste' ? `paste of ${text?.length ?? 0} characters` : name}`);
  }
}

/** Runs one line. True when the session is over. */
async function perform(console: Console, line: string): Promise<boolean> {
  const [, word = '', argument = ''] = /^\s*(\S*)\s?(.*)$/.exec(line) ?? [];
  if (word === '') return false;
  const command = commandNamed(word.toLowerCase());
  if (command !== undefined) return (await command.run(console, argument)) === 'quit';
  await console.session.print(`I don't know '${word}'. Type 'help' for what I know.`);
  return false;
}

const complete = (line: string): string[] =>
  Object.keys(COMMANDS).filter((name) => name.startsWith(line.toLowerCase()));

export interface DemoOptions {
  readonly clock?: Clock;
  /** `line`: never asks the client for keys. Default: `character`, of clients that are terminals. */
  readonly mode?: Mode;
}

/** A handler for any number of sessions, which see each other in `who`. */
export function createDemoSession({ clock = systemClock, mode = 'character' }: DemoOptions = {}): TelnetHandler {
  const present = new Map<TelnetSession, number>();
  return async (session) => {
    await session.ready;
    present.set(session, clock.nowMs());
    if (mode === 'character' && isInteractive(session.terminal)) await session.setMode('character');
    session.on('interrupt', () => {
      // Where we edit, the line is asked for anew by itself.
      void session.write(`\nNothing runs here. 'quit' ends the session.\n${session.mode === 'line' ? '> ' : ''}`);
    });
    try {
      const { type, columns, rows } = session.terminal;
      await session.print('Welcome. This is the demonstration session of wellknown telnet.');
      await session.print(`You are ${who(session)}, on a terminal of type ${type}, ${columns} by ${rows}.`);
      await session.print("Type 'help' for the commands, 'quit' to leave.");
      for await (const line of session.lines({ prompt: '> ', complete })) {
        if (await perform({ session, present, clock }, line)) break;
      }
      await session.print('Goodbye.');
    } finally {
      present.delete(session);
    }
  };
}
