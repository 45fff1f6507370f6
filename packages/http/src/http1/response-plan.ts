// A handler's response, turned into what goes on the wire: either one whole text, or a head and content to be pumped.

import { fail, ok, type Result } from '@wellknown/core';
import { latin1Text, type StreamedBody } from './body-writer.ts';
import { contentOf, discardContent, partsOf } from '../exchange/response-content.ts';
import { encodeHead, type ExchangeFacts } from '../exchange/response-head.ts';

export type ResponsePlan =
  /** Head and content together, as latin1 text of the same octets. */
  | {
      readonly kind: 'whole';
      readonly text: string;
      readonly contentBytes: number;
      readonly status: number;
      readonly closes: boolean;
    }
  | ({ readonly kind: 'pumped'; readonly status: number; readonly closes: boolean } & StreamedBody);

// Answers up to this size are joined with their heads; above, copying costs more than another buffer.
const MAX_JOINED_BYTES = 16_384;

/** The answer, or a sentence for the log about why this response can't be sent. Takes the response's content. */
export function planResponse(response: unknown, facts: ExchangeFacts): Result<ResponsePlan, string> {
  if (!(response instanceof Response)) return fail('a handler has to answer with a Response');
  const content = contentOf(response);
  if (content === undefined) return fail('the content of the response has been read already');
  const parts = partsOf(response, content);
  const { status } = parts;
  const encoded = encodeHead(parts, facts);
  if (!encoded.ok) {
    discardContent(content);
    return encoded;
  }
  const { text, transfer, closes, byteLength } = encoded.value;
  if (transfer === 'none') {
    discardContent(content);
    return ok({ kind: 'whole', text, contentBytes: 0, status, closes });
  }
  const contentBytes = parts.byteLength;
  if (contentBytes <= MAX_JOINED_BYTES) {
    if (typeof content === 'string')
      return ok({ kind: 'whole', text: text + octetText(content, contentBytes), contentBytes, status, closes });
    if (content instanceof Uint8Array)
      return ok({ kind: 'whole', text: text + latin1Text(content), contentBytes, status, closes });
  }
  return ok({ kind: 'pumped', head: text, content, transfer, byteLength, status, closes });
}

/** ASCII text is its own UTF-8; other text becomes one character for each octet. */
const octetText = (text: string, byteLength: number): string =>
  text.length === byteLength ? text : Buffer.from(text).toString('latin1');
