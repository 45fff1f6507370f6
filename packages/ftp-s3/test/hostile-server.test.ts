// An S3 server that does not answer, or says one thing and gives another: over HTTP, by hand.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@wellknown/core/testing';
import type { FileSystem } from '@wellknown/ftp';
import { expect, onTestFinished, test } from 'vitest';
import { s3FileSystem } from '../src/index.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

async function filesOf(answer: Answer): Promise<FileSystem> {
  const server = http.createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const client = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  return s3FileSystem({ bucket: 'files', client, partBytes: 5 * 1024 * 1024 });
}

const xml = (response: http.ServerResponse, text: string): void =>
  void response.writeHead(200, { 'content-type': 'application/xml' }).end(text);

test('an upload whose part gets no answer ends when it is given up', async () => {
  let isStuck = false;
  const files = await filesOf(({ method }, response) => {
    if (method === 'HEAD') response.writeHead(404).end();
    else if (method === 'GET') xml(response, '<ListBucketResult></ListBucketResult>');
    else if (method === 'POST')
      xml(response, '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
    else if (method === 'DELETE') response.writeHead(204).end();
    else isStuck = true;
  });
  const stop = new AbortController();
  const target = await files.write?.('/big', { mode: 'replace', signal: stop.signal });
  if (target?.ok !== true) throw new Error('not opened');
  const writing = target.value.write([new Uint8Array(6 * 1024 * 1024)]).catch((error: unknown) => error);
  await eventually(() => isStuck);
  stop.abort();
  expect(await writing).toMatchObject({ name: 'AbortError' });
  await target.value.abort();
});

test.each([
  ['says so', 412, '<Error><Code>PreconditionFailed</Code></Error>'],
  ['knows no conditions', 206, 'x'.repeat(50)],
])('a download of an object that has been replaced fails, where the server %s', async (_, status, body) => {
  let condition: string | undefined;
  const files = await filesOf((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '100', etag: '"old"' }).end();
    else {
      condition = request.headers['if-match'];
      response.writeHead(status, { etag: '"new"' }).end(body);
    }
  });
  expect(await files.read('/file', { startBytes: 50 })).toEqual({ ok: false, error: 'failed' });
  expect(condition).toBe('"old"');
});

test('what no path can name is not listed', async () => {
  const files = await filesOf((_, response) =>
    xml(
      response,
      '<ListBucketResult><Contents><Key>..</Key></Contents><Contents><Key>a</Key></Contents>' +
        '<CommonPrefixes><Prefix>./</Prefix></CommonPrefixes><CommonPrefixes><Prefix>/</Prefix></CommonPrefixes></ListBucketResult>',
    ),
  );
  const listed = await files.list('/');
  if (!listed.ok) throw new Error(listed.error);
  const names: string[] = [];
  for await (const portion of listed.value) names.push(...portion.map(({ name }) => name));
  expect(names).toEqual(['a']);
});
