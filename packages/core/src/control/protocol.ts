// The control socket's language: one JSON line asks, JSON lines answer. Text in, a request or a problem out; no IO.

import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { MAX_WORKERS } from '../option-values.ts';
import type { ConnectionFilter } from '../observe/open-connections.ts';
import { fail, ok, type Result } from '../result.ts';

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'reload' }
  | { readonly command: 'upgrade' }
  | { readonly command: 'scale'; readonly workers: number }
  /** The open connections, in as many lines as it takes. */
  | ({ readonly command: 'connections' } & ConnectionFilter)
  /** End one of them; with `reset` at once. */
  | { readonly command: 'close'; readonly connection: string; readonly reset?: boolean }
  /** Tell the log level, or change it. */
  | { readonly command: 'log-level'; readonly level?: LogLevel }
  /** Stop accepting, let work in flight finish, end. */
  | { readonly command: 'drain' }
  /** The same; the answer is followed by the end of the connection once the process ends. */
  | { readonly command: 'stop' };

/** One line. With `more` another one follows to the same request. */
export type ControlAnswer =
  { readonly ok: true; readonly value: unknown; readonly more?: true } | { readonly ok: false; readonly error: string };

/** What `connections` ends with; the connections themselves came before. */
export interface ConnectionsSummary {
  readonly connections: number;
  /** Slots of workers that did not answer: theirs are missing. */
  readonly unanswered: readonly number[];
}

type Command = ControlRequest['command'];
type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextOrNothing = (value: unknown): value is string | undefined => value === undefined || isText(value);

/** How the fields of each command are read: into a request, or a sentence about what is wrong. */
const READERS: Readonly<Record<Command, (fields: Fields) => ControlRequest | string>> = {
  status: () => ({ command: 'status' }),
  reload: () => ({ command: 'reload' }),
  upgrade: () => ({ command: 'upgrade' }),
  scale: ({ workers }) =>
    Number.isInteger(workers) && Number(workers) >= 1 && Number(workers) <= MAX_WORKERS
      ? { command: 'scale', workers: Number(workers) }
      : `scale needs workers, a whole number from 1 to ${MAX_WORKERS}`,
  connections: ({ service, remote }) =>
    isTextOrNothing(service) && isTextOrNothing(remote)
      ? {
          command: 'connections',
          ...(service === undefined ? {} : { service }),
          ...(remote === undefined ? {} : { remote }),
        }
      : 'connections takes service, a name, and remote, an address or a range',
  close: ({ connection, reset = false }) =>
    isText(connection) && typeof reset === 'boolean'
      ? { command: 'close', connection, reset }
      : "close needs connection, an id of 'connections', and takes reset, true or false",
  'log-level': ({ level }) => {
    const known = LOG_LEVELS.find((allowed) => allowed === level);
    if (level !== undefined && known === undefined) return `log-level takes level, one of ${LOG_LEVELS.join(', ')}`;
    return { command: 'log-level', ...(known === undefined ? {} : { level: known }) };
  },
  drain: () => ({ command: 'drain' }),
  stop: () => ({ command: 'stop' }),
};

export const CONTROL_COMMANDS = Object.keys(READERS) as readonly Command[];

/** Reads one line of a client. */
export function parseControlRequest(line: string): Result<ControlRequest, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return fail('not a line of JSON');
  }
  if (typeof value !== 'object' || value === null || !('command' in value)) return fail('no command');
  const command = CONTROL_COMMANDS.find((known) => known === value.command);
  if (command === undefined) return fail(`unknown command, allowed are ${CONTROL_COMMANDS.join(', ')}`);
  const request = READERS[command](value);
  return typeof request === 'string' ? fail(request) : ok(request);
}
