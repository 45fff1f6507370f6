// The response of srvx, which h3 answers with. It makes one of the platform's when it is looked at; to the server of its
// own package it gives what it was made of, and so it does here.

import { PassThrough, Readable } from 'node:stream';
import { HttpResponse, isHttpResponse } from '../fetch/response.ts';
import type { ResponseBody } from '../fetch/response-init.ts';

interface SrvxParts {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn, or in pairs. */
  readonly headers: readonly (string | readonly string[])[];
  readonly body: unknown;
}

/** What was made of a response: it gives its parts once. */
const MADE = Symbol('made');

/**
 * One of ours for a response of srvx. Other values stay what they are. Throws what the object throws: its response is
 * made only now, and may be none that can be made.
 */
export function unwrapped(response: unknown): unknown {
  if (isHttpResponse(response) || typeof response !== 'object' || response === null) return response;
  const srvx = response as { _toNodeResponse?(): SrvxParts; [MADE]?: HttpResponse | undefined };
  if (typeof srvx._toNodeResponse !== 'function') return response;
  const made = srvx[MADE] ?? responseOfParts(srvx._toNodeResponse());
  srvx[MADE] = made;
  return made;
}

function responseOfParts({ status, statusText, headers, body }: SrvxParts): HttpResponse {
  const content = isPiped(body) ? Readable.toWeb(body instanceof Readable ? body : piped(body)) : body;
  const length =
    typeof content === 'string'
      ? Buffer.byteLength(content)
      : content instanceof Uint8Array
        ? content.byteLength
        : undefined;
  const flat = headers.flat();
  const fields: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) {
    const [name = '', value = ''] = [flat[at], flat[at + 1]];
    // What is known is said anyway, and then from memory.
    if (name !== 'content-length' || Number(value) !== length) fields.push([name, value]);
  }
  return new HttpResponse(content as ResponseBody, { status, statusText, headers: fields });
}

/** A stream of Node, or what can do nothing but be piped into one, such as React renders. */
interface Piped {
  pipe<To>(to: To): To;
  readonly abort?: () => void;
}
const isPiped = (body: unknown): body is Piped =>
  typeof body === 'object' && body !== null && 'pipe' in body && typeof body.pipe === 'function';

function piped(body: Piped): PassThrough {
  const stream = body.pipe(new PassThrough());
  stream.once('close', () => body.abort?.());
  return stream;
}
