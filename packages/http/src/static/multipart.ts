// Several ranges as one content of type multipart/byteranges (RFC 9110 §14.6).

import type { ContentSource } from '../fetch/response.ts';
import type { ByteRange } from './range.ts';

export interface Multipart {
  readonly contentType: string;
  readonly content: ContentSource;
}

/** `open` gives the source of one part; it is called for one part at a time. `close` is called once, at the end. */
export function multipartOf(
  parts: readonly ByteRange[],
  size: number,
  partType: string,
  open: (part: ByteRange) => ContentSource,
  close: () => void,
): Multipart {
  // Random, so that no file can hold it on purpose.
  const boundary = crypto.randomUUID();
  const heads = parts.map(({ start, byteLength }, index) =>
    Buffer.from(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${partType}\r\nContent-Range: bytes ${start}-${start + byteLength - 1}/${size}\r\n\r\n`,
      'latin1',
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const pieces: (Buffer | ByteRange)[] = [...parts.flatMap((part, index) => [heads[index] ?? tail, part]), tail];
  const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  let current: ContentSource | undefined;
  let index = 0;
  const read = async (into: Uint8Array): Promise<number> => {
    for (;;) {
      if (current !== undefined) {
        const readBytes = await current.read(into);
        if (readBytes > 0) return readBytes;
        current = undefined;
      }
      const piece = pieces[index];
      if (piece === undefined) return 0;
      if (!Buffer.isBuffer(piece)) {
        index += 1;
        current = open(piece);
        continue;
      }
      // Heads are short, but the reader may want even less at the end.
      const taken = piece.subarray(0, into.length);
      into.set(taken);
      if (taken.length === piece.length) index += 1;
      else pieces[index] = piece.subarray(taken.length);
      return taken.length;
    }
  };
  return { contentType: `multipart/byteranges; boundary=${boundary}`, content: { byteLength, read, close } };
}
