// Asking a running supervisor, as `wellknown status` and its like do.

import { connect } from 'node:net';
import { fail, ok, type Result } from '../result.ts';
import type { ControlAnswer, ControlRequest } from './protocol.ts';

/**
 * Asks and resolves with the answer's value, or a sentence about what went wrong. `stop` resolves once the process has
 * ended.
 */
export function askControl(path: string, request: ControlRequest): Promise<Result<unknown, string>> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    let answer: Result<unknown, string> | undefined;
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0 || answer !== undefined) return;
      const parsed = JSON.parse(text.slice(0, end)) as ControlAnswer;
      answer = parsed.ok ? ok(parsed.value) : fail(parsed.error);
      if (request.command !== 'stop' || !answer.ok) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      answer ??= fail(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? `no supervisor listens on ${path}`
          : `${path}: ${error.message}`,
      );
    });
    socket.on('close', () => resolve(answer ?? fail(`the supervisor on ${path} gave no answer`)));
  });
}
