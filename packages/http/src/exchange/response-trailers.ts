// The trailer section of an answer (RFC 9112 §7.1.2).

import { FORBIDDEN_TRAILERS } from '../semantics/header-semantics.ts';
import { fieldProblem } from './response-head.ts';
import { entriesOf, type ResponseHeaders } from '../fetch/response.ts';

/**
 * Field lines for after the last chunk. Throws for a field that can't be sent, or may not stand there (RFC 9110
 * §6.5.1).
 */
export function encodeTrailers(trailers: ResponseHeaders): string {
  let lines = '';
  for (const [name, value] of entriesOf(trailers)) {
    const problem =
      fieldProblem(name, value) ??
      (FORBIDDEN_TRAILERS.has(name.toLowerCase()) ? `${name} may not be a trailer` : undefined);
    if (problem !== undefined) throw new TypeError(problem);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
