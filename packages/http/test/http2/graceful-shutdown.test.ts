// How a session of HTTP/2 ends when its server drains: frame by frame, for clients that obey and for those that do not.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Connection } from '@wellknown/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Http2Stream, MAX_HELD_BYTES } from '../../src/http2/gated-stream.ts';
import { createHttpServer, HttpResponse } from '../../src/index.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import { serveHttp2, type MemoryHttp2 } from './memory-http2.ts';
import { connectRaw, FLAG, frame, FRAME, get, isEndOf, isGoaway, type Frame, type RawHttp2 } from './raw-http2.ts';

let folder = '';
let certificate: TestCertificate;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http2-shutdown-'));
  certificate = makeCertificate('localhost');
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const isPing = ({ type, flags }: Frame): boolean => type === FRAME.ping && flags === 0;
const lastStreamOf = ({ payload }: Frame): number => payload.readUInt32BE(0);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Scene {
  readonly client: RawHttp2;
  /** Lets the handler answer the request that has waited longest. */
  readonly answer: (body: string) => Promise<void>;
  /** What was closed so far, by reason. */
  readonly reasons: () => Promise<Readonly<Partial<Record<string, number>>>>;
  readonly drain: () => Promise<void>;
}

/** A client, and a server whose handler waits to be told what to say. */
async function start(): Promise<Scene> {
  const waiting: ((body: string) => void)[] = [];
  const handler = (): Promise<HttpResponse> =>
    new Promise((resolve) => waiting.push((body) => resolve(new HttpResponse(body))));
  const server = createHttpServer(handler, { listen: 'tls://127.0.0.1:0', tls: certificate });
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  const client = await connectRaw(Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]));
  closing.push(() => client.socket.destroy());
  await client.until(({ type }) => type === FRAME.settings);
  return {
    client,
    async answer(body) {
      while (waiting.length === 0) await turn();
      waiting.shift()?.(body);
    },
    reasons: async () => (await server.status()).services[0]?.connections.closed ?? {},
    drain: () => server.close({ graceMs: 10_000 }),
  };
}

/** What the server has sent of a kind that matters here, in order. */
const story = (client: Pick<RawHttp2, 'frames'>): string[] =>
  client.frames.flatMap((sent) => {
    if (isPing(sent)) return ['PING'];
    if (isGoaway(sent)) return [`GOAWAY ${lastStreamOf(sent)}`];
    return isEndOf(sent.streamId)(sent) ? [`response ${sent.streamId}`] : [];
  });
const ANY_STREAM = 2 ** 31 - 1;

/** Wide windows, so that only the server's own bounds hold responses back. */
function openWindows(client: Pick<RawHttp2, 'send'>): void {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(2 ** 30);
  client.send(
    frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0x3f, 0xff, 0xff, 0xff])),
    frame(FRAME.windowUpdate, 0, 0, increment),
  );
}

/** The same over memory, where time passes only when a test says so. */
async function startInMemory(): Promise<{ client: MemoryHttp2; answer: (body: string) => void }> {
  const waiting: ((body: string) => void)[] = [];
  const client = await serveHttp2(
    () => new Promise((resolve) => waiting.push((body) => resolve(new HttpResponse(body)))),
  );
  const answer = (body: string): void => {
    const respond = waiting.shift();
    if (respond === undefined) throw new Error('no request waits for its response');
    respond(body);
  };
  return { client, answer };
}

describe('a session that drains', () => {
  test('holds back what it has to send until a PING is answered, so that the notice is the next that its client reads', async () => {
    const { client, answer } = await startInMemory();
    client.ignorePings();
    client.send(get(1));
    await client.settle();
    answer('one');
    await client.until(isEndOf(1));
    client.send(get(3));
    client.connection.startDrain();
    const ping = await client.until(isPing);
    answer('three');
    client.send(get(5));
    await client.settle();
    answer('five');
    await client.settle();
    expect(story(client)).toEqual(['response 1', 'PING']);
    client.send(frame(FRAME.ping, FLAG.ack, 0, ping.payload));
    await client.until(isEndOf(5));
    expect(story(client).slice(0, 4)).toEqual(['response 1', 'PING', `GOAWAY ${ANY_STREAM}`, 'response 3']);
  });

  test('takes requests until a second PING is answered, and names the last of them then', async () => {
    const { client, answer, drain } = await start();
    client.ignorePings();
    const drained = drain();
    const first = await client.until(isPing);
    client.send(frame(FRAME.ping, FLAG.ack, 0, first?.payload));
    const second = await client.until((sent) => isPing(sent) && sent !== first);
    client.send(get(1), get(3), frame(FRAME.ping, FLAG.ack, 0, second?.payload));
    await client.until((sent) => isGoaway(sent) && lastStreamOf(sent) !== ANY_STREAM);
    await answer('one');
    await answer('three');
    await client.closed;
    await drained;
    // node:http2 says the last GOAWAY again when the last stream is done.
    expect(story(client)).toEqual([
      'PING',
      `GOAWAY ${ANY_STREAM}`,
      'PING',
      'GOAWAY 3',
      'response 1',
      'response 3',
      'GOAWAY 3',
    ]);
  });

  test('ends at once, without any time passing, when it is idle and its client answers', async () => {
    const { client } = await startInMemory();
    client.connection.startDrain();
    await client.settle();
    expect(story(client)).toEqual(['PING', `GOAWAY ${ANY_STREAM}`, 'PING', 'GOAWAY 0']);
    expect(client.peer.sawEnd).toBe(true);
    client.peer.end();
    expect(client.closeReason).toBe('finished');
  });

  test('gives each step a second where its client answers no PING, and loses nothing', async () => {
    const { client, answer } = await startInMemory();
    client.ignorePings();
    client.send(get(1));
    await client.settle();
    client.connection.startDrain();
    await client.until(isPing);
    answer('one');
    await client.pass(900);
    expect(story(client)).toEqual(['PING']);
    await client.pass(300);
    expect(story(client)).toEqual(['PING', `GOAWAY ${ANY_STREAM}`, 'response 1', 'PING']);
    client.send(get(3));
    await client.settle();
    answer('three');
    await client.pass(600);
    expect(story(client)).toEqual(['PING', `GOAWAY ${ANY_STREAM}`, 'response 1', 'PING', 'response 3']);
    expect(client.peer.sawEnd).toBe(false);
    await client.pass(700);
    expect(story(client).at(-1)).toBe('GOAWAY 3');
    expect(client.peer.sawEnd).toBe(true);
  });

  test('reads what its client still sends after the end: no reset destroys what that has not read', async () => {
    const { client, answer, drain, reasons } = await start();
    client.send(get(1));
    const drained = drain();
    await client.until((sent) => isGoaway(sent) && lastStreamOf(sent) === 1);
    client.socket.pause();
    await answer('x'.repeat(60_000));
    for (let pings = 0; pings < 50; pings += 1) {
      client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
      await turn();
    }
    client.socket.resume();
    await client.closed;
    await drained;
    expect([story(client).slice(-2), client.failure(), await reasons()]).toEqual([
      ['response 1', 'GOAWAY 1'],
      undefined,
      { finished: 1 },
    ]);
  });

  test('waits for its client’s end no longer than every lingering close does', async () => {
    const { client, drain, reasons } = await start();
    client.ignorePings();
    client.socket.pause();
    await drain();
    expect(await reasons()).toEqual({ 'linger-timeout': 1 });
  });
});

describe('what is held back', () => {
  const marker = Buffer.from('marker');

  function held(): { readonly stream: Http2Stream; readonly sent: () => string; readonly overflows: () => number } {
    const pieces: string[] = [];
    let overflows = 0;
    const connection: unknown = {
      send: (bytes: Buffer) => pieces.push(bytes.toString()) > 0,
      cork: () => undefined,
      uncork: () => undefined,
      end: () => undefined,
    };
    const stream = new Http2Stream(connection as Connection, () => undefined);
    stream.hold({
      after: marker,
      overflowed() {
        overflows += 1;
        stream.release();
      },
    });
    return { stream, sent: () => pieces.join(''), overflows: () => overflows };
  }

  test('begins right after the frame that it waits for, and leaves in order', () => {
    const { stream, sent, overflows } = held();
    stream.write('before ');
    stream.cork();
    for (const word of ['also ', 'marker', ' held']) stream.write(word);
    stream.uncork();
    stream.write(' too');
    expect(sent()).toBe('before also marker');
    stream.release();
    stream.write(' and on');
    expect([sent(), overflows()]).toEqual(['before also marker held too and on', 0]);
  });

  test('leaves before the end does', () => {
    const { stream, sent } = held();
    stream.end('marker held');
    expect(sent()).toBe('marker held');
  });

  test('is bounded: one byte past the limit the gate is opened before its time', () => {
    const { stream, sent, overflows } = held();
    stream.write(marker);
    stream.write('x'.repeat(MAX_HELD_BYTES));
    expect([sent(), overflows()]).toEqual(['marker', 0]);
    stream.write('y');
    expect([sent().length, sent().at(-1), overflows()]).toEqual([marker.length + MAX_HELD_BYTES + 1, 'y', 1]);
  });

  test('and a client that is sent more than that within a round trip is not kept waiting', async () => {
    const { client, answer } = await startInMemory();
    client.ignorePings();
    openWindows(client);
    client.send(get(1));
    await client.settle();
    client.connection.startDrain();
    await client.until(isPing);
    answer('x'.repeat(2 * MAX_HELD_BYTES));
    await client.until(isEndOf(1));
    expect(story(client).slice(0, 2)).toEqual(['PING', `GOAWAY ${ANY_STREAM}`]);
  });
});
