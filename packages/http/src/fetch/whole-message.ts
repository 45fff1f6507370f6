// A response as one text: head and content, each character an octet.

import type { FieldSet } from './field-set.ts';

/** Gives whole heads; undefined where one can't be given without looking closer. */
export type HeadFor = (status: number, fields: FieldSet, byteLength: number, dateLine: string) => string | undefined;

// Larger content is not copied into one text with its head.
const MAX_WRITTEN_BYTES = 16_384;

/** Undefined for what is too large, and where `headFor` gives no head. */
export function wholeMessage(
  status: number,
  fields: FieldSet,
  content: string | Uint8Array | null,
  dateLine: string,
  headFor: HeadFor,
): string | undefined {
  let text = '';
  let byteLength = 0;
  if (typeof content === 'string') {
    byteLength = Buffer.byteLength(content);
    if (byteLength > MAX_WRITTEN_BYTES) return undefined;
    // ASCII text is its own UTF-8; other text becomes one character for each octet.
    text = byteLength === content.length ? content : Buffer.from(content).toString('latin1');
  } else if (content !== null) {
    byteLength = content.byteLength;
    if (byteLength > MAX_WRITTEN_BYTES) return undefined;
    text = Buffer.from(content.buffer, content.byteOffset, byteLength).toString('latin1');
  }
  const head = headFor(status, fields, byteLength, dateLine);
  return head === undefined ? undefined : head + text;
}
