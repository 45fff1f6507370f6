// An object as a file to read: one request, whose body is taken as fast as the client of FTP does.

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { readSourceFrom, type ReadSource } from '@wellknown/ftp';

/** What the SDK gives as a body on Node: a readable stream. */
type Body = AsyncIterable<Uint8Array> & { destroy(): unknown };

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No bytes.
}

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
  if (startBytes === sizeBytes) return readSourceFrom(nothing(), sizeBytes);
  const range = startBytes === 0 ? {} : { Range: `bytes=${startBytes}-` };
  const { Body: body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
    signal === undefined ? {} : { abortSignal: signal },
  );
  return readSourceFrom((body as Body | undefined) ?? nothing(), sizeBytes);
}
