// A handler over memory, and what a client would see of it.

import type { Logger } from '@wellknown/core';
import { serveInMemory, type MemoryConnection } from '@wellknown/core/testing';
import type { FetchHandler } from '../src/handler.ts';
import type { HttpLimits } from '../src/limits.ts';
import { httpProtocol, type HttpProtocolOptions } from '../src/protocol.ts';

export interface Served extends MemoryConnection {
  /** What was logged as an error. */
  readonly errors: string[];
  readonly counters: Readonly<Record<string, number>>;
}

export function serveHandler(
  handler: FetchHandler,
  limits: Partial<HttpLimits> = {},
  options: HttpProtocolOptions = {},
): Served {
  const errors: string[] = [];
  const nothing = (): void => undefined;
  const log: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (fields, message) => errors.push(`${message}: ${'err' in fields ? String(fields.err) : ''}`),
  };
  const counters: Record<string, number> = {};
  const memory = serveInMemory(httpProtocol(handler, { ...options, limits }), { context: { log, counters } });
  return Object.assign(memory, { errors, counters });
}

/** Lets everything that waits on settled promises run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface ReadResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Reads the responses of a connection's output, framed as RFC 9112 says. `heads` are the methods asked, where HEAD
 * matters.
 */
export function readResponses(text: string, methods: readonly string[] = []): ReadResponse[] {
  const responses: ReadResponse[] = [];
  for (let rest = text; rest !== '';) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) throw new Error(`no complete head in ${JSON.stringify(rest)}`);
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(statusLine)?.[1]);
    const headers = new Headers(
      lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    rest = rest.slice(headEnd + 4);
    let body = '';
    const isBodyless = status < 200 || status === 204 || status === 304 || methods[responses.length] === 'HEAD';
    if (!isBodyless) [body, rest] = takeBody(headers, rest);
    responses.push({ status, headers, body });
  }
  return responses;
}

function takeBody(headers: Headers, rest: string): [string, string] {
  const length = headers.get('content-length');
  if (length !== null) return [rest.slice(0, Number(length)), rest.slice(Number(length))];
  if (headers.get('transfer-encoding') !== 'chunked') return [rest, ''];
  let body = '';
  for (let text = rest; ;) {
    const lineEnd = text.indexOf('\r\n');
    const size = Number.parseInt(text.slice(0, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error(`no chunk in ${JSON.stringify(text)}`);
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    text = text.slice(lineEnd + 2 + size + 2);
    if (size === 0) return [body, text];
  }
}
