// The session that runs when no handler is given, and an example of one: a small console, as a device has it.
// Commands are rows of a table; HELP reads the same rows.

import { formatAddress } from '@wellknown/core/endpoint';
import { systemClock, type Clock } from '@wellknown/core';
import type { TelnetHandler } from './connection.ts';
import type { Mode } from './mode.ts';
import type { TelnetSession } from './session.ts';

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

function describeTerminal({ terminal }: TelnetSession): string {
  const rows = [
    ['type', terminal.type],
    ['size', `${terminal.columns} columns, ${terminal.rows} rows`],
    ['names', terminal.names.join(', ') || 'none given'],
    ['client', terminal.client ?? 'a terminal'],
    ['abilities', terminal.abilities.join(', ')],
    ['charset', terminal.charset ?? 'UTF-8 (assumed)'],
    ['environment', Array.from(terminal.environment, ([name, value]) => `${name}=${value}`).join(' ')],
  ] as const;
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${name.padEnd(12)} ${value}`)
    .join('\n');
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

export interface DemoOptions {
  readonly clock?: Clock;
  /** `line`: never asks the client for keys. */
  readonly mode?: Mode;
}

/** A handler for any number of sessions, which see each other in `who`. */
export function createDemoSession({ clock = systemClock }: DemoOptions = {}): TelnetHandler {
  const present = new Map<TelnetSession, number>();
  return async (session) => {
    await session.ready;
    present.set(session, clock.nowMs());
    session.on('interrupt', () => void session.write("\nNothing runs here. 'quit' ends the session.\n> "));
    try {
      const { type, columns, rows } = session.terminal;
      await session.print('Welcome. This is the demonstration session of wellknown telnet.');
      await session.print(`You are ${who(session)}, on a terminal of type ${type}, ${columns} by ${rows}.`);
      await session.print("Type 'help' for the commands.");
      for await (const line of session.lines({ prompt: '> ' })) {
        if (await perform({ session, present, clock }, line)) break;
      }
      await session.print('Goodbye.');
    } finally {
      present.delete(session);
    }
  };
}
