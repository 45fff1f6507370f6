// A real S3 server, in a process of its own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { eventually, unusedAddress } from '@wellknown/core/testing';

export interface S3Server {
  readonly client: S3Client;
  readonly bucket: string;
  readonly endpoint: string;
  stop(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'ftp-s3-'));
  const { host, port } = await unusedAddress();
  const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
  // Its continuation tokens need a cipher that OpenSSL 3 keeps apart.
  const words = ['--openssl-legacy-provider', program, '-d', directory, '-a', host, '-p', String(port), '--silent'];
  const child = spawn(process.execPath, words, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const client = new S3Client({
    endpoint: `http://${host}:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    // The fixed ones of this server.
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    // It knows no checksums in trailers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const bucket = 'files';
  // It is there once it answers.
  await eventually(async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  return {
    client,
    bucket,
    endpoint: `http://${host}:${port}`,
    async stop() {
      client.destroy();
      child.kill();
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}
