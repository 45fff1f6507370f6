// The control socket's language: one JSON line asks, one JSON line answers. Text in, a request or a problem out; no IO.

import { fail, ok, type Result } from '../result.ts';

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'reload' }
  | { readonly command: 'upgrade' }
  | { readonly command: 'scale'; readonly workers: number }
  /** Stop accepting, let work in flight finish, end. */
  | { readonly command: 'drain' }
  /** The same; the answer is followed by the end of the connection once the process ends. */
  | { readonly command: 'stop' };

export type ControlAnswer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

export const CONTROL_COMMANDS: readonly ControlRequest['command'][] = [
  'status',
  'reload',
  'upgrade',
  'scale',
  'drain',
  'stop',
];

const MAX_WORKERS = 1024;

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
  if (command !== 'scale') return ok({ command });
  if (
    !('workers' in value) ||
    !Number.isInteger(value.workers) ||
    Number(value.workers) < 1 ||
    Number(value.workers) > MAX_WORKERS
  ) {
    return fail(`scale needs workers, a whole number from 1 to ${MAX_WORKERS}`);
  }
  return ok({ command, workers: Number(value.workers) });
}
