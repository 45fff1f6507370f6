// Files that change while they are sent. A client that gets the whole of a response has the content that its head
// announced; any other sees the response break off.

import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHttpServer, serveFiles } from '../../src/index.ts';
import type { ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import { readResponses, serveHandler } from '../serve.ts';
import { eventually } from '@wellknown/core/testing';

// More than is read ahead of a peer that does not read.
const SIZE = 1_000_000;
const OLD = new Date('2025-01-01T00:00:00Z');
let root = '';
let file = '';

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-transfers-'));
  file = path.join(root, 'big.bin');
  fs.writeFileSync(file, 'a'.repeat(SIZE));
  fs.utimesSync(file, OLD, OLD);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const overwrite = (byteLength: number): void => {
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, Buffer.alloc(byteLength, 'b'));
  fs.closeSync(descriptor);
};

type Row = readonly [how: string, change: () => void, told: string];
const changes: readonly Row[] = [
  ['truncated', () => fs.truncateSync(file, 10), `it was cut from ${SIZE} to 10 bytes`],
  ['emptied', () => fs.truncateSync(file, 0), `it was cut from ${SIZE} to 0 bytes`],
  ['truncated by one byte', () => fs.truncateSync(file, SIZE - 1), `it was cut from ${SIZE} to ${SIZE - 1} bytes`],
  [
    'written over in place, shorter',
    () => fs.writeFileSync(file, Buffer.alloc(SIZE - 100_000, 'b')),
    `it was cut from ${SIZE} to ${SIZE - 100_000} bytes`,
  ],
  ['written over in place, as long', () => overwrite(SIZE), 'it was written to'],
  ['written over in place, longer', () => overwrite(SIZE + 100_000), `it grew from ${SIZE} to ${SIZE + 100_000} bytes`],
  [
    'truncated and written anew, longer',
    () => fs.writeFileSync(file, Buffer.alloc(SIZE + 1, 'b')),
    `it grew from ${SIZE} to ${SIZE + 1} bytes`,
  ],
  [
    'written over, its time set back',
    () => {
      overwrite(SIZE);
      fs.utimesSync(file, OLD, OLD);
    },
    'it was written to, and its modification time set back',
  ],
  [
    'written over and removed',
    () => {
      overwrite(SIZE);
      fs.rmSync(file);
    },
    'it was written to',
  ],
  ['appended to', () => fs.appendFileSync(file, 'more'), `it grew from ${SIZE} to ${SIZE + 4} bytes`],
];

const harmless: readonly (readonly [how: string, change: () => void])[] = [
  ['left alone', () => undefined],
  ['removed', () => fs.rmSync(file)],
  [
    'replaced by a rename',
    () => {
      fs.writeFileSync(`${file}.new`, 'b'.repeat(SIZE));
      fs.renameSync(`${file}.new`, file);
    },
  ],
  ['renamed, as when logs are rotated', () => fs.renameSync(file, `${file}.1`)],
  ['linked to, as by a backup', () => fs.linkSync(file, `${file}.link`)],
  ['given other permissions', () => fs.chmodSync(file, 0o600)],
];

const requests: readonly (readonly [what: string, fields: string, contentBytes: number])[] = [
  ['the whole file', '', SIZE],
  ['a range to its end', 'Range: bytes=100-\r\n', SIZE - 100],
  ['a range within it', 'Range: bytes=100-900099\r\n', 900_000],
  ['several ranges', 'Range: bytes=0-499999,600000-999999\r\n', 900_000],
];

interface Download {
  readonly text: string;
  readonly errors: readonly string[];
  readonly closed: boolean;
}

/** Asks, and lets `meanwhile` happen once the head has left and the connection holds all it may. */
async function downloadSlowly(
  fields: string,
  meanwhile: () => void,
  options: ServeFilesOptions = {},
): Promise<Download> {
  const { peer, errors, connection } = serveHandler(serveFiles(root, options));
  peer.reading = false;
  peer.send(`GET /big.bin HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  await eventually(() => connection.unsentBytes > 0);
  meanwhile();
  peer.reading = true;
  let text = '';
  let wholeLength = Infinity;
  await eventually(() => {
    text += peer.take();
    if (wholeLength === Infinity) wholeLength = text.indexOf('\r\n\r\n') + 4 + announcedBytes(text);
    return peer.closed || text.length >= wholeLength;
  });
  return { text, errors, closed: peer.closed };
}

const announcedBytes = (text: string): number => Number(/^content-length: ([0-9]+)/im.exec(text)?.[1] ?? Infinity);
const contentOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);
const isWhole = (text: string): boolean => contentOf(text).length >= announcedBytes(text);

describe.each(requests)('%s of a file that was being written when it was asked for', (_what, fields) => {
  beforeEach(() => fs.utimesSync(file, new Date(), new Date()));

  test('and grows meanwhile arrives as long as it was, with a tag that joins no parts', async () => {
    const grow = (): void => fs.appendFileSync(file, 'more');
    const { text, errors, closed } = await downloadSlowly(fields, grow);
    expect([closed, errors]).toEqual([false, []]);
    expect(contentOf(text).length).toBe(announcedBytes(text));
    expect(/^etag: (.*)\r$/im.exec(text)?.[1]).toMatch(/^W\/"/);
  });

  test('and is cut meanwhile breaks off', async () => {
    const { text, closed } = await downloadSlowly(fields, () => fs.truncateSync(file, 10));
    expect([closed, isWhole(text)]).toEqual([true, false]);
  });
});

describe.each(requests)('%s of a file', (_what, fields, contentBytes) => {
  test.each(changes)('that is %s meanwhile breaks off, and the log tells once why', async (_how, change, told) => {
    const { text, errors, closed } = await downloadSlowly(fields, change);
    expect(closed).toBe(true);
    expect(isWhole(text)).toBe(false);
    expect(errors).toEqual([
      `a response broke off: Error: ${JSON.stringify(fs.realpathSync(root) + '/big.bin')} changed while it was sent: ${told}`,
    ]);
  });

  test.each(harmless)('that is %s meanwhile arrives whole, as it was', async (_how, change) => {
    const { text, errors, closed } = await downloadSlowly(fields, change);
    expect([closed, errors]).toEqual([false, []]);
    const content = contentOf(text);
    expect(content.length).toBe(announcedBytes(text));
    // Each part begins anew, and heads of parts have letters too.
    expect(content.match(/a{1000}/g)?.length).toBeGreaterThanOrEqual(contentBytes / 1_000 - 2);
    expect(/b{40}/.test(content)).toBe(false);
  });
});

describe('a file that is said to be only appended to', () => {
  const options: ServeFilesOptions = { appendOnly: /\.bin$/g };

  test.each(requests)('and grows while it is sent arrives as long as it was: %s', async (_what, fields) => {
    for (const added of ['once', 'twice']) {
      const { text, errors, closed } = await downloadSlowly(fields, () => fs.appendFileSync(file, added), options);
      expect([closed, errors, contentOf(text).length, text.includes(added)]).toEqual([
        false,
        [],
        announcedBytes(text),
        false,
      ]);
    }
  });

  test.each<readonly [how: string, change: () => void]>([
    ['truncated, as when logs are rotated in place', () => fs.truncateSync(file, 0)],
    ['written over in place, as long', () => overwrite(SIZE)],
  ])('and is %s breaks off', async (_how, change) => {
    const { text, closed } = await downloadSlowly('', change, options);
    expect([closed, isWhole(text)]).toEqual([true, false]);
  });

  test('is one whose path matches, and no other', async () => {
    const { closed } = await downloadSlowly('', () => fs.appendFileSync(file, 'more'), { appendOnly: /\.log$/ });
    expect(closed).toBe(true);
  });
});

test('HEAD of a file that changes says what the file was when it was asked for, and nothing breaks', async () => {
  const handler = serveFiles(root);
  for (const change of [() => fs.appendFileSync(file, 'more'), () => fs.truncateSync(file, 10)]) {
    const byteLength = fs.statSync(file).size;
    const { peer, errors, connection } = serveHandler(handler);
    peer.reading = false;
    peer.send('HEAD /big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => connection.unsentBytes > 0);
    change();
    peer.reading = true;
    const [received] = readResponses(peer.take(), ['HEAD']);
    expect([received?.status, received?.headers.get('content-length'), errors, peer.closed]).toEqual([
      200,
      String(byteLength),
      [],
      false,
    ]);
  }
});

test('a stream of the content, as other code reads it, fails like the connection, and closes the file', async () => {
  const close = vi.spyOn(fs, 'closeSync');
  const response = await (serveFiles(root) as (request: Request) => Promise<Response>)(new Request('http://a/big.bin'));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  fs.truncateSync(file, 100_000);
  const readOn = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  close.mockClear();
  await expect(readOn()).rejects.toThrow(`it was cut from ${SIZE} to 100000 bytes`);
  expect(close).toHaveBeenCalledTimes(1);
  close.mockRestore();
});

test.each([
  [131_072, true],
  [131_073, false],
])(
  'a part of %i bytes that changes when it is read first is looked at again: %s; a longer one is under way by then',
  async (byteLength, isAnswered) => {
    const read = fs.read;
    vi.spyOn(fs, 'read').mockImplementationOnce((...args: Parameters<typeof fs.read>) => {
      fs.appendFileSync(file, 'more');
      read(...args);
    });
    const { peer, errors } = serveHandler(serveFiles(root));
    peer.send(`GET /big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-${byteLength - 1}\r\n\r\n`);
    let text = '';
    await eventually(() => {
      text += peer.take();
      return peer.closed || isWhole(text);
    });
    vi.restoreAllMocks();
    expect([isWhole(text), peer.closed, errors.length]).toEqual([isAnswered, !isAnswered, isAnswered ? 0 : 1]);
    expect(text).toContain(`/${isAnswered ? SIZE + 4 : SIZE}\r\n`);
  },
);

test('two responses with one strong tag are the same content: after a change there is another tag', async () => {
  const handler = serveFiles(root, { cache: { revalidateMs: 0 } });
  const tag = async (): Promise<string | null> =>
    (await ask(handler, '/big.bin', { method: 'HEAD' })).headers.get('etag');
  const before = await tag();
  fs.appendFileSync(file, 'more');
  expect(before).toMatch(/^"/);
  expect(await tag()).not.toBe(before);
});

describe('over HTTP/2', () => {
  let folder = '';
  let tls: TestCertificate;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-transfers-tls-'));
    tls = makeCertificate('localhost');
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** Reads only once `meanwhile` has happened: until then the window of the stream holds the rest back. */
  async function downloadSlowlyOverHttp2(
    meanwhile: () => void,
  ): Promise<{ content: Buffer; resetCode: number; isOpen: boolean }> {
    await using server = createHttpServer(serveFiles(root), { listen: 'tls://127.0.0.1:0', tls });
    const [bound] = await server.listen();
    const session = http2.connect((bound?.url ?? '').replace('tls:', 'https:'), { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/big.bin' });
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('response', resolve));
    meanwhile();
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => stream.once('close', resolve));
    const isOpen = !session.closed && !session.destroyed;
    await new Promise<void>((resolve) => session.close(resolve));
    return { content: Buffer.concat(chunks), resetCode: stream.rstCode, isOpen };
  }

  test.each(changes)(
    'a file that is %s meanwhile ends its stream with an error, and the connection goes on',
    async (_how, change) => {
      const { content, resetCode, isOpen } = await downloadSlowlyOverHttp2(change);
      expect([resetCode, isOpen]).toEqual([http2.constants.NGHTTP2_INTERNAL_ERROR, true]);
      expect(content.length).toBeLessThan(SIZE);
    },
  );

  test.each(harmless)('a file that is %s meanwhile arrives whole, as it was', async (_how, change) => {
    const { content, resetCode } = await downloadSlowlyOverHttp2(change);
    expect([resetCode, content.length]).toEqual([http2.constants.NGHTTP2_NO_ERROR, SIZE]);
    expect(content.equals(Buffer.alloc(SIZE, 'a'))).toBe(true);
  });
});
