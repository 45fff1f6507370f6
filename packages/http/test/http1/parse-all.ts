// Everything that the request parser says about some chunks, in a form that can be compared.

import { readFields, type Field } from '../../src/semantics/fields.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../src/limits.ts';
import type { Refusal } from '../../src/semantics/refusals.ts';
import { RequestParser } from '../../src/http1/request-parser.ts';

export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: number;
  readonly fields: readonly Field[];
  body: string;
  trailers: readonly Field[];
  complete: boolean;
}

export interface Parsed {
  readonly requests: ParsedRequest[];
  refusal: Refusal | undefined;
}

/** Feeds the chunks as a connection would. Content of neighbouring chunks is joined. */
export function parseAll(chunks: Iterable<Uint8Array>, limits: Partial<HttpLimits> = {}): Parsed {
  const parser = new RequestParser({ ...DEFAULT_HTTP_LIMITS, ...limits });
  const parsed: Parsed = { requests: [], refusal: undefined };
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    let outcome = 'more';
    for (let at = 0; at < bytes.length || outcome === 'data'; at = parser.position) {
      outcome = parser.read(bytes, at, bytes.length);
      const current = parsed.requests.at(-1);
      if (outcome === 'refused') {
        parsed.refusal = parser.refusal;
        return parsed;
      }
      if (outcome === 'head' && parser.head !== undefined) {
        const { method, target, minorVersion, fieldLines, framing } = parser.head;
        parsed.requests.push({
          method,
          target,
          minorVersion,
          fields: readFields(fieldLines),
          body: '',
          trailers: [],
          complete: framing.body === 'none',
        });
      } else if (outcome === 'data' && current !== undefined)
        current.body += bytes.toString('latin1', parser.dataStart, parser.dataEnd);
      else if (outcome === 'end' && current !== undefined) {
        current.complete = true;
        current.trailers = readFields(parser.trailerLines);
      } else if (outcome === 'more') break;
    }
    // The parser must not look at a chunk again: the transport reads into its buffer again.
    bytes.fill(0xee);
  }
  return parsed;
}

export const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');
