// An S3 server that does not answer, says one thing and gives another, or pages as S3 does: over HTTP, by hand.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@wellknown/core/testing';
import type { FileSystem } from '@wellknown/ftp';
import { expect, onTestFinished, test } from 'vitest';
import { s3FileSystem, type S3FileSystemOptions } from '../src/index.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

async function filesOf(answer: Answer, more: Partial<S3FileSystemOptions> = {}): Promise<FileSystem> {
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
  return s3FileSystem({ bucket: 'files', client, partBytes: 5 * 1024 * 1024, ...more });
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

/** What S3 answers to a listing of these sizes by key: keys in order, those with a slash as what they have in common. */
function listingOf(sizes: Readonly<Record<string, number>>): Answer {
  const items = [...new Set(Object.keys(sizes).map((key) => key.replace(/\/.*/, '/')))].sort();
  return ({ url = '' }, response) => {
    const query = new URL(url, 'http://x').searchParams;
    const from = Number(query.get('continuation-token') ?? 0);
    const to = from + Number(query.get('max-keys'));
    const page = items
      .slice(from, to)
      .map((item) =>
        item.endsWith('/')
          ? `<CommonPrefixes><Prefix>${item}</Prefix></CommonPrefixes>`
          : `<Contents><Key>${item}</Key><Size>${sizes[item] ?? 0}</Size></Contents>`,
      );
    const next = to < items.length ? `<NextContinuationToken>${to}</NextContinuationToken>` : '';
    xml(response, `<ListBucketResult>${page.join('')}${next}</ListBucketResult>`);
  };
}

test.each([1, 2, 3, 4, 100])(
  'a name is listed once, as a file or as a directory, with %i keys a page',
  async (pageEntries) => {
    const empty = ['e', 'e-', 'e-x', 'e0', 'f!', 'g'];
    const full = ['e-/in', 'e/in', 'f', 'f!/in', 'f-x', 'f/in', 'fu', 'fu/in'];
    const sizes = Object.fromEntries([
      ...empty.map((key) => [key, 0] as const),
      ...full.map((key) => [key, 1] as const),
    ]);
    const files = await filesOf(listingOf(sizes), { pageEntries });
    const listed = await files.list('/');
    if (!listed.ok) throw new Error(listed.error);
    const found: string[] = [];
    for await (const portion of listed.value) found.push(...portion.map(({ name, type }) => `${type} ${name}`));
    expect(found.sort()).toEqual([
      ...['e', 'e-', 'f!'].map((name) => `directory ${name}`),
      ...['e-x', 'e0', 'f', 'f-x', 'fu', 'g'].map((name) => `file ${name}`),
    ]);
  },
);
