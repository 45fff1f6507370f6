// Heads of responses that were made before. Most handlers answer with few sets of fields over and over; such a set is
// checked and put together once, and from then on costs a comparison and one piece of text.

import type { Result } from '@wellknown/core';
import { encodeFields, type EncodedFields } from './response-head.ts';
import type { ResponseHeaders } from '../fetch/response.ts';

interface CachedHead {
  readonly status: number;
  readonly isText: boolean;
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Which `Date` line `text` holds. */
  dateLine: string;
  /** Status line and fields without the framing. */
  text: string;
  /** The last whole head made of it, and the length that it names. */
  headByteLength: number;
  head: string;
  /** These fields can't be prepared: they are invalid, or say something about the connection. */
  readonly unfit: boolean;
}

// A handler has a few kinds of responses; searching more than this would cost more than it saves.
const MAX_HEADS = 8;
const MAX_FIELDS = 8;
// After so many responses in a row that matched nothing, their fields change every time, and only one in so many is
// tried.
const MISSES_BEFORE_REST = 32;

export class ResponseHeadCache {
  #heads: CachedHead[] = [];
  #next = 0;
  #misses = 0;

  /** The whole head for content of `byteLength`, or undefined when it has to be put together field by field. */
  headFor(
    status: number,
    headers: ResponseHeaders | undefined,
    isText: boolean,
    byteLength: number,
    dateLine: string,
  ): string | undefined {
    const known = this.#find(status, headers, isText);
    if (known === undefined) {
      this.#learn(status, headers, isText);
      return undefined;
    }
    this.#misses = 0;
    if (known.unfit) return undefined;
    if (known.dateLine !== dateLine) {
      const fields = encode(known, dateLine);
      if (!fields.ok) return undefined;
      known.text = fields.value.text;
      known.dateLine = dateLine;
      known.headByteLength = -1;
    }
    if (known.headByteLength !== byteLength) {
      known.headByteLength = byteLength;
      known.head = flat(`${known.text}Content-Length: ${byteLength}\r\n\r\n`);
    }
    return known.head;
  }

  #find(status: number, headers: ResponseHeaders | undefined, isText: boolean): CachedHead | undefined {
    for (const known of this.#heads) {
      if (known.status === status && known.isText === isText && isSame(known, headers)) return known;
    }
    return undefined;
  }

  #learn(status: number, headers: ResponseHeaders | undefined, isText: boolean): void {
    this.#misses += 1;
    if (this.#misses > MISSES_BEFORE_REST && this.#misses % MISSES_BEFORE_REST !== 0) return;
    const names: string[] = [];
    const values: string[] = [];
    if (headers !== undefined) {
      // Reading a Headers, or whatever else is iterated, costs as much as is to be saved.
      if (!isPairs(headers) && Symbol.iterator in headers) return;
      const pairs = isPairs(headers) ? headers : Object.entries(headers);
      if (pairs.length > MAX_FIELDS) return;
      for (const [name, value] of pairs) {
        names.push(name);
        values.push(value);
      }
    }
    const known = { status, isText, names, values };
    const fields = encode(known, '');
    const unfit = !fields.ok || fields.value.declared !== undefined || fields.value.closes || fields.value.hasDate;
    this.#heads[this.#next] = { ...known, dateLine: '', text: '', headByteLength: -1, head: '', unfit };
    this.#next = (this.#next + 1) % MAX_HEADS;
  }
}

const isPairs = (headers: ResponseHeaders): headers is readonly (readonly [string, string])[] => Array.isArray(headers);

function isSame({ names, values }: CachedHead, headers: ResponseHeaders | undefined): boolean {
  let count = 0;
  if (headers !== undefined) {
    if (isPairs(headers)) {
      for (const [name, value] of headers) {
        if (names[count] !== name || values[count] !== value) return false;
        count += 1;
      }
    } else {
      if (Symbol.iterator in headers) return false;
      for (const name in headers) {
        // Inherited names are no fields; V8 knows the answer inside such a loop.
        if (!Object.hasOwn(headers, name)) continue;
        if (names[count] !== name || values[count] !== headers[name]) return false;
        count += 1;
      }
    }
  }
  return count === names.length;
}

function encode(
  { status, isText, names, values }: Pick<CachedHead, 'status' | 'isText' | 'names' | 'values'>,
  dateLine: string,
): Result<EncodedFields, string> {
  const headers = names.map((name, index): [string, string] => [name, values[index] ?? '']);
  return encodeFields({ status, statusText: '', headers, content: isText ? 'text' : 'bytes' }, dateLine);
}

/**
 * The same text in one piece of memory: text put together piece by piece would be taken apart again for every write.
 */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
