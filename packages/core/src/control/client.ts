// Asking a running supervisor, as `wellknown status` and its like do.

import { connect, type Socket } from 'node:net';
import type { ControlAnswer, ControlRequest } from './protocol.ts';

/**
 * The answer, or a sentence about what went wrong. `isReached`: a supervisor was there and has answered, so that another
 * path would be no better.
 */
export type ControlOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string; readonly isReached: boolean };

// Past this a supervisor is stopped, or hangs: workers are waited for no longer than a beat.
const SILENCE_MS = 10_000;

/**
 * Asks and resolves with the answer's value. `stop` resolves once the process has ended. An answer of several lines is told
 * line by line to `part`, all but the last; what `part` returns is waited for, and the supervisor with it.
 */
export async function askControl(
  path: string,
  request: ControlRequest,
  part: (value: unknown) => void | Promise<void> = () => undefined,
): Promise<ControlOutcome> {
  const socket = connect({ path });
  socket.write(`${JSON.stringify(request)}\n`);
  // What a supervisor knows it says at once; the rest takes as long as it takes.
  if (request.command === 'status' || request.command === 'log-level')
    socket.setTimeout(SILENCE_MS, () =>
      socket.destroy(new Error(`it has not answered within ${SILENCE_MS / 1_000} s`)),
    );
  try {
    const answer = await lastAnswer(socket, part);
    if (answer === undefined) return unreached(`the supervisor on ${path} gave no answer`);
    // The end of the process is the end of the connection.
    if (request.command === 'stop' && answer.ok) await ended(socket);
    return answer.ok ? { ok: true, value: answer.value } : { ok: false, error: answer.error, isReached: true };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return unreached(
      code === 'ENOENT' || code === 'ECONNREFUSED' ? `no supervisor listens on ${path}` : `${path}: ${message}`,
    );
  } finally {
    socket.destroy();
  }
}

const unreached = (error: string): ControlOutcome => ({ ok: false, error, isReached: false });

async function lastAnswer(
  socket: Socket,
  part: (value: unknown) => void | Promise<void>,
): Promise<ControlAnswer | undefined> {
  let text = '';
  socket.setEncoding('utf8');
  // Leaving this loop by `break` would destroy the socket.
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>;
  for await (const chunk of chunks) {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const answer = parseAnswer(text.slice(0, end));
      text = text.slice(end + 1);
      if (!answer.ok || answer.more !== true) return answer;
      await part(answer.value);
    }
  }
  return undefined;
}

function parseAnswer(line: string): ControlAnswer {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'ok' in value) return value as ControlAnswer;
  } catch {
    // Said below.
  }
  throw new Error('what listens there is no supervisor');
}

/** Resolves once the other end has closed the connection. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => resolve());
    socket.once('close', () => resolve());
    socket.resume();
    if (socket.closed) resolve();
  });
