// Counting a checksum over a part of a file: by the file system where it knows how, otherwise by reading.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '@wellknown/core';
import type { FileProblem, FileSystem, HashAlgorithm } from './file-system.ts';
import type { AbsolutePath } from './path.ts';

export interface Counted {
  readonly hash: string;
  /** The part that was counted, up to and without `endBytes`. */
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface ChecksumRequest {
  readonly path: AbsolutePath;
  readonly algorithm: HashAlgorithm;
  readonly startBytes: number;
  /** By default the end of the file. */
  readonly endBytes: number | undefined;
  readonly signal: AbortSignal;
}

const BUFFER_BYTES = 256 * 1024;

interface Sum {
  add(bytes: Uint8Array): void;
  value(): string;
}

function createSum(algorithm: HashAlgorithm): Sum {
  if (algorithm !== 'crc32') {
    const sum = createHash(algorithm);
    return { add: (bytes) => void sum.update(bytes), value: () => sum.digest('hex') };
  }
  let sum = 0;
  return { add: (bytes) => void (sum = crc32(bytes, sum)), value: () => sum.toString(16).padStart(8, '0') };
}

/** `bad-start` for a part that the file does not have, `failed` when it is given up. */
export async function countChecksum(
  fileSystem: FileSystem,
  { path, algorithm, startBytes, endBytes, signal }: ChecksumRequest,
): Promise<Result<Counted, FileProblem>> {
  const entry = await fileSystem.stat(path);
  if (!entry.ok) return entry;
  if (entry.value.type !== 'file') return fail('is-directory');
  const end = endBytes ?? entry.value.sizeBytes;
  if (startBytes > end || end > entry.value.sizeBytes) return fail('bad-start');
  if (fileSystem.hash !== undefined) {
    const hash = await fileSystem.hash(path, { algorithm, startBytes, endBytes: end, signal });
    return hash.ok ? ok({ hash: hash.value, startBytes, endBytes: end }) : hash;
  }
  const source = await fileSystem.read(path, { startBytes, signal });
  if (!source.ok) return source;
  try {
    const sum = createSum(algorithm);
    const buffer = Buffer.allocUnsafeSlow(Math.min(BUFFER_BYTES, end - startBytes + 1));
    for (let left = end - startBytes; left > 0;) {
      const read = await source.value.read(buffer);
      if (!read.ok) return read;
      // Cut short meanwhile, or nobody wants to know any more.
      if (read.value === 0 || signal.aborted) return fail('failed');
      const length = Math.min(left, read.value);
      sum.add(buffer.subarray(0, length));
      left -= length;
    }
    return ok({ hash: sum.value(), startBytes, endBytes: end });
  } finally {
    await source.value.close();
  }
}
