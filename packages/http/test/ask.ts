// One request to a handler of files, over memory, and its response.

import { eventually } from '@wellknown/core/testing';
import type { FetchHandler } from '../src/handler.ts';
import { readResponses, serveHandler, type ReadResponse } from './serve.ts';

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the target as it is, and fails when something was logged as an error. */
export async function ask(
  handler: FetchHandler,
  target: string,
  { method = 'GET', headers = {} }: Question = {},
): Promise<ReadResponse> {
  const { peer, errors } = serveHandler(handler);
  peer.send(
    `${method} ${target} HTTP/1.1\r\nHost: a\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  );
  let text = '';
  // The disk answers from other threads.
  await eventually(() => {
    text += peer.take();
    return isComplete(text, method);
  });
  if (errors.length > 0) throw new Error(errors.join('\n'));
  const [response] = readResponses(text, [method]);
  if (response === undefined) throw new Error(`no response to ${target}`);
  return response;
}

function isComplete(text: string, method: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  const length = method === 'HEAD' ? 0 : Number(/^content-length: ([0-9]+)/im.exec(text)?.[1] ?? 0);
  return headEnd >= 0 && text.length >= headEnd + 4 + length;
}
