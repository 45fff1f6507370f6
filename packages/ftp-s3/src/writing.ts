// An upload as an object. Objects are written whole or not at all, so an upload that was cut never looks finished. A small
// one is one request at its end; a large one goes out in parts while it comes, and only its completion shows it.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { WriteTarget } from '@wellknown/ftp';
import { answer, Refusal } from './errors.ts';

export interface WriteRequest {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly partBytes: number;
  /** The name must still be free at the end. */
  readonly mustBeNew: boolean;
  /** Whether the name is free, for servers that don't know conditional writes. */
  readonly isFree: () => Promise<boolean>;
  /** The upload is given up: no answer is waited for. */
  readonly signal: AbortSignal | undefined;
}

// The most parts that S3 takes. They grow on the way, and not beyond ten times their size, since each is held in memory:
// 430 GiB fit into those of 8 MiB.
const MAX_PARTS = 10_000;
const GROW_EVERY = 1_000;
// A session does not end before its upload has let go.
const DISCARD_MS = 5_000;

export function objectTarget({ client, bucket, key, partBytes, mustBeNew, isFree, signal }: WriteRequest): WriteTarget {
  const to = { Bucket: bucket, Key: key };
  const giveUp = signal === undefined ? {} : { abortSignal: signal };
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let uploadId: string | undefined;
  const parts: { readonly ETag: string | undefined; readonly PartNumber: number }[] = [];
  const gathered = (): Uint8Array => {
    const bytes = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return bytes;
  };

  const sendPart = async (): Promise<void> => {
    uploadId ??= (await client.send(new CreateMultipartUploadCommand(to), giveUp)).UploadId;
    const PartNumber = parts.length + 1;
    if (PartNumber > MAX_PARTS) throw new Refusal('over-quota');
    const { ETag } = await client.send(
      new UploadPartCommand({ ...to, UploadId: uploadId, PartNumber, Body: gathered() }),
      giveUp,
    );
    parts.push({ ETag, PartNumber });
  };

  const discard = async (): Promise<void> => {
    held = [];
    if (uploadId === undefined) return;
    const UploadId = uploadId;
    uploadId = undefined;
    // What can't be aborted now is left to the bucket's lifecycle rule.
    await client
      .send(new AbortMultipartUploadCommand({ ...to, UploadId }), { abortSignal: AbortSignal.timeout(DISCARD_MS) })
      .catch(() => undefined);
  };

  return {
    write: (chunks) =>
      answer(async () => {
        for (const chunk of chunks) {
          held.push(chunk);
          heldBytes += chunk.length;
          if (heldBytes >= partBytes * (1 + Math.floor(parts.length / GROW_EVERY))) await sendPart();
        }
      }),
    commit: () =>
      answer(async () => {
        try {
          if (mustBeNew && !(await isFree())) throw new Refusal('exists');
          const condition = mustBeNew ? { IfNoneMatch: '*' } : {};
          if (parts.length === 0)
            await client.send(new PutObjectCommand({ ...to, ...condition, Body: gathered() }), giveUp);
          else {
            if (heldBytes > 0) await sendPart();
            await client.send(
              new CompleteMultipartUploadCommand({
                ...to,
                ...condition,
                UploadId: uploadId,
                MultipartUpload: { Parts: parts },
              }),
              giveUp,
            );
          }
        } catch (error) {
          await discard();
          throw error;
        }
      }),
    abort: discard,
  };
}
