// An object as a file to read: one request, whose body is taken as fast as the client of FTP does.

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { readSourceFrom, type ReadSource } from '@wellknown/ftp';
import { problemOf, Refusal } from './errors.ts';

/** What the SDK gives as a body on Node: a readable stream. */
type Body = AsyncIterable<Uint8Array> & { destroy(): unknown };

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No bytes.
}

export interface ReadRequest {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  /** What the size was said of, without quotes; undefined where the server has none. */
  readonly etag: string | undefined;
  readonly sizeBytes: number;
  readonly startBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Opens the object as it was when its size was asked for; rejects with what the server says, or with `failed` when it is
 * another by now.
 */
export async function openObject(request: ReadRequest): Promise<ReadSource> {
  const { client, bucket, key, etag, sizeBytes, startBytes, signal } = request;
  // A range that begins at the end would be an error.
  if (startBytes === sizeBytes) return readSourceFrom(nothing(), sizeBytes);
  const range = startBytes === 0 ? {} : { Range: `bytes=${startBytes}-` };
  const same = etag === undefined ? {} : { IfMatch: `"${etag}"` };
  const got = await client
    .send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...range, ...same }),
      signal === undefined ? {} : { abortSignal: signal },
    )
    .catch((error: unknown) => {
      throw problemOf(error) === 'exists' ? new Refusal('failed') : error;
    });
  const body = got.Body as Body | undefined;
  // A server that knows no conditions says at least what it gives.
  if (etag !== undefined && got.ETag !== undefined && got.ETag !== `"${etag}"`) {
    body?.destroy();
    throw new Refusal('failed');
  }
  return readSourceFrom(body ?? nothing(), sizeBytes);
}
