// Keys from a reader of bytes: the decoder, and the time that tells a lone ESC from the beginning of a sequence.

import type { Clock } from '@wellknown/core';
import type { RawInput } from '../input.ts';
import type { TextEncoding } from '../text-encoding.ts';
import { createKeyDecoder, ESCAPE_TIMEOUT_MS } from './key-decoder.ts';
import type { Key } from './key.ts';

export interface KeyReader {
  /** What comes next belongs to a paste. */
  readonly isPasting: boolean;
  /**
   * The next keys, at least one; undefined once no more will come. When they end in the middle of what came, at an
   * Enter or ^C, the rest is still in the input.
   */
  next(): Promise<readonly Key[] | undefined>;
}

const ETX = 0x03;
const LF = 0x0a;
const CR = 0x0d;
const ends = (byte: number): boolean => byte === CR || byte === LF || byte === ETX;

/** `isPasting`: the keys before these ended in the middle of a paste. */
export function createKeyReader(
  input: RawInput,
  clock: Clock,
  encoding: TextEncoding,
  { isPasting = false }: { readonly isPasting?: boolean } = {},
): KeyReader {
  const decoder = createKeyDecoder({
    isPasting,
    ...(encoding.charset === 'UTF-8' ? {} : { decode: (bytes: Uint8Array) => encoding.decode(bytes) }),
  });
  /** A read that was begun, and still waits after ESC has become a key. */
  let reading: Promise<Uint8Array | undefined> | undefined;

  /** What comes, or `too late`. */
  const readOrTimeOut = async (): Promise<Uint8Array | undefined | 'too late'> => {
    reading ??= input.read();
    if (!decoder.waiting) return reading;
    let expire = (): void => undefined;
    const expired = new Promise<'too late'>((resolve) => (expire = () => resolve('too late')));
    const timer = clock.after(ESCAPE_TIMEOUT_MS, expire);
    const first = await Promise.race([reading, expired]);
    timer.cancel();
    return first;
  };

  return {
    get isPasting() {
      return decoder.isPasting;
    },
    async next() {
      for (;;) {
        const bytes = await readOrTimeOut();
        if (bytes === 'too late') {
          const keys = decoder.flush();
          if (keys.length > 0) return keys;
          continue;
        }
        reading = undefined;
        if (bytes === undefined) {
          const last = decoder.flush();
          return last.length > 0 ? last : undefined;
        }
        const end = bytes.findIndex(ends) + 1;
        const piece = end === 0 ? bytes : bytes.subarray(0, end);
        input.unread(bytes.subarray(piece.length));
        const keys = decoder.push(piece);
        if (keys.length > 0) return keys;
      }
    },
  };
}
