// An object as a file to read: one request, whose body is taken as fast as the client of FTP does.

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ok } from '@wellknown/core';
import type { ReadSource } from '@wellknown/ftp';

/** What the SDK gives as a body on Node: a readable stream. */
type Body = AsyncIterable<Uint8Array> & { destroy(): unknown };

export interface ReadRequest {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly startBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** Opens the object; rejects with what the server says. */
export async function openObject(request: ReadRequest): Promise<ReadSource> {
  const { client, bucket, key, sizeBytes, startBytes, signal } = request;
  // A range that begins at the end would be an error.
  if (startBytes === sizeBytes) return sourceOf(undefined, sizeBytes);
  const range = startBytes === 0 ? {} : { Range: `bytes=${startBytes}-` };
  const { Body: body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
    signal === undefined ? {} : { abortSignal: signal },
  );
  return sourceOf(body as Body | undefined, sizeBytes);
}

function sourceOf(body: Body | undefined, sizeBytes: number): ReadSource {
  const chunks = body?.[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    sizeBytes,
    async read(into) {
      let filled = 0;
      while (filled < into.length) {
        if (rest.length === 0) {
          // What it rejects with is the log's business; the client hears 451 and no false end.
          const next = await chunks?.next();
          if (next === undefined || next.done === true) break;
          rest = next.value;
        }
        const piece = rest.subarray(0, into.length - filled);
        into.set(piece, filled);
        filled += piece.length;
        rest = rest.subarray(piece.length);
      }
      return ok(filled);
    },
    close() {
      body?.destroy();
      return Promise.resolve();
    },
  };
}
