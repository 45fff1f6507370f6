// A program that is reloaded under the load of clients that ask as much as they may until they are told to stop.

import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { eventually, startProgram, type Program } from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../../../test/certificates.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/http/src/main.ts');
const CONTENT = 'a'.repeat(1_000);

let site = '';
beforeAll(() => {
  site = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http2-reload-'));
  // Slow enough that requests are open at every step of the shutdown.
  fs.writeFileSync(
    path.join(site, 'handler.mjs'),
    `export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 50));
  return new Response('${CONTENT}');
};
`,
  );
});
afterAll(() => fs.rmSync(site, { recursive: true }));

const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
});

/** What became of requests. */
interface Tally {
  answered: number;
  /** Never sent, refused, or above the last stream of a GOAWAY: safe to ask again (RFC 9113 §8.7). */
  retryable: number;
  /** Anything else: what a client would have to report. */
  lost: string[];
  sessions: number;
}

const STREAMS_IN_FLIGHT = 20;

/** Keeps so many requests in flight until it is stopped; a session that is told to go is followed by another. */
function ask(port: string, tally: Tally, isOver: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const begin = (): void => {
      tally.sessions += 1;
      const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      let lastStream = Infinity;
      session.on('error', (error: Error) => tally.lost.push(`session: ${error.message}`));
      session.on('goaway', (_code: number, lastStreamId: number) => (lastStream = Math.min(lastStream, lastStreamId)));
      session.once('close', () => (isOver() ? resolve() : begin()));
      const request = (): void => {
        if (isOver()) session.close();
        if (session.closed || session.destroyed) return;
        const stream = session.request({ ':path': '/' });
        let body = '';
        let failure: Error | undefined;
        stream.setEncoding('latin1').on('data', (text: string) => (body += text));
        stream.on('error', (error: Error) => (failure = error));
        stream.once('close', () => {
          const isRetryable =
            stream.id === undefined ||
            stream.id > lastStream ||
            stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
          if (body === CONTENT && failure === undefined) tally.answered += 1;
          else if (isRetryable) tally.retryable += 1;
          else
            tally.lost.push(
              `stream ${String(stream.id)} of ${lastStream}: ${stream.rstCode}, ${body.length} bytes, ${failure?.message ?? 'no error'}`,
            );
          request();
        });
      };
      session.once('connect', () => {
        for (let streams = 0; streams < STREAMS_IN_FLIGHT; streams += 1) request();
      });
    };
    begin();
  });
}

const reloads = (program: Program): number => program.stderr().split('"msg":"reloaded"').length - 1;

test('no request is lost while all workers are replaced, twice, by clients that ask until they see GOAWAY', async () => {
  const { certFile, keyFile } = makeCertificate('localhost');
  const program = await startProgram(
    [
      ...PROGRAM,
      '--handler',
      path.join(site, 'handler.mjs'),
      '--workers',
      '2',
      '--listen',
      'tls://127.0.0.1:0',
      '--tls-cert',
      certFile,
      '--tls-key',
      keyFile,
      '--log-format',
      'json',
    ],
    { cwd: ROOT },
  );
  programs.push(program);
  const port = /:(\d+)$/.exec(program.endpoints.http?.[0] ?? '')?.[1] ?? '';
  const tally: Tally = { answered: 0, retryable: 0, lost: [], sessions: 0 };
  let isOver = false;
  const clients = Promise.all(Array.from({ length: 4 }, () => ask(port, tally, () => isOver)));
  for (const round of [1, 2]) {
    const before = tally.answered;
    await eventually(() => tally.answered > before + 200, { timeoutMs: 40_000 });
    program.signal('SIGHUP');
    await eventually(() => reloads(program) === round && tally.sessions >= 4 * (round + 1), { timeoutMs: 40_000 });
  }
  isOver = true;
  await clients;
  expect(tally.lost).toEqual([]);
  expect(tally.sessions).toBeGreaterThanOrEqual(12);
  // Node's client closes a stream some turns after its response: a few may still be prepared after GOAWAY, which it
  // refuses itself.
  expect(tally.retryable).toBeLessThanOrEqual((tally.sessions - 4) * STREAMS_IN_FLIGHT);
}, 60_000);
