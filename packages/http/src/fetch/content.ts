// What a response is made of.

/** Bytes in a buffer that nobody shares, in words that TypeScript before 5.7 understands too. */
export type OwnBytes = ReturnType<Uint8Array['slice']>;

/** Content with a known length that is read piece by piece, such as a range of a file. */
export interface ContentSource {
  readonly byteLength: number;
  /** Fills `into` from its start; the number of bytes, at once or later, is 0 when there is nothing more. */
  read(into: Uint8Array): Promise<number> | number;
  /** Called exactly once, when it is read or given up. */
  close(): void;
}

export type ResponseContent = string | Uint8Array | ContentSource | ReadableStream<Uint8Array> | null;

const SOURCE_CHUNK_BYTES = 65_536;

export const isSource = (content: unknown): content is ContentSource =>
  content !== null &&
  typeof content === 'object' &&
  !(content instanceof Uint8Array) &&
  'byteLength' in content &&
  'read' in content &&
  typeof content.read === 'function';

export function streamOfSource(source: ContentSource): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const buffer = new Uint8Array(SOURCE_CHUNK_BYTES);
        let byteLength: number;
        try {
          byteLength = await source.read(buffer);
        } catch (error) {
          // A stream that fails is not cancelled as well.
          source.close();
          throw error;
        }
        if (byteLength > 0) {
          controller.enqueue(buffer.subarray(0, byteLength));
          return;
        }
        source.close();
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: () => source.close(),
    },
    { highWaterMark: 0 },
  );
}

/** A blob, read piece by piece. */
export function sourceOfBlob(blob: Blob): ContentSource {
  let offset = 0;
  return {
    byteLength: blob.size,
    async read(into) {
      const bytes = new Uint8Array(await blob.slice(offset, offset + into.length).arrayBuffer());
      into.set(bytes);
      offset += bytes.length;
      return bytes.length;
    },
    close: () => undefined,
  };
}

/** UTF-8, without a byte order mark; what is malformed becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  const start = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start).toString('utf8');
}

const BYTE_ORDER_MARK = 0xfeff;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text as who reads its octets gets it. */
export function decodedText(given: string): string {
  const text = given.charCodeAt(0) === BYTE_ORDER_MARK ? given.slice(1) : given;
  return LONE_SURROGATE.test(text) ? Buffer.from(text).toString() : text;
}
