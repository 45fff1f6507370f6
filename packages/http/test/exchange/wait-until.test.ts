// The end of a server waits for the work that goes on after responses, however the server ends.

import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { startProgram, type Program } from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHttpServer, HttpResponse, type FetchHandler } from '../../src/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/http/src/main.ts');

let folder = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-wait-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  // Longer than any round trip between the parts of a server that has nothing to wait for.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('an embedded server', () => {
  let finish: () => void = () => undefined;
  const handler: FetchHandler = (_request, context) => {
    context.waitUntil(new Promise<void>((resolve) => (finish = resolve)));
    return new HttpResponse('done');
  };

  test('over HTTP/1.1', async () => {
    const server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0' });
    const [bound] = await server.listen();
    const url = (bound?.url ?? '').replace('tcp:', 'http:');
    expect(await (await fetch(url, { headers: { Connection: 'close' } })).text()).toBe('done');
    const closed = server.close({ graceMs: 20_000 });
    expect(await isSettled(closed)).toBe(false);
    finish();
    await closed;
  });

  test('over HTTP/2', async () => {
    const server = createHttpServer(handler, { listen: 'tls://127.0.0.1:0', tls: makeCertificate('localhost') });
    const [bound] = await server.listen();
    const session = http2.connect((bound?.url ?? '').replace('tls:', 'https:'), { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/' }).resume();
    await new Promise((resolve) => stream.once('close', resolve));
    await new Promise<void>((resolve) => session.close(resolve));
    const closed = server.close({ graceMs: 20_000 });
    expect(await isSettled(closed)).toBe(false);
    finish();
    await closed;
  });

  test('gives up at the deadline', async () => {
    const server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0' });
    const [bound] = await server.listen();
    await (await fetch((bound?.url ?? '').replace('tcp:', 'http:'))).text();
    await server.close({ graceMs: 0 });
  });
});

describe('the program', () => {
  const programs: Program[] = [];
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.stop();
  });

  /**
   * Answers, and writes a file of the name that is asked for 700 ms later; `/never` leaves a timer that goes on for
   * ever.
   */
  async function start(
    ...args: string[]
  ): Promise<{ program: Program; url: string; written: (name: string) => boolean }> {
    const handler = path.join(folder, 'later.mjs');
    fs.writeFileSync(
      handler,
      `
      import fs from 'node:fs';
      export default (request, context) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/never') context.waitUntil(new Promise(() => setInterval(() => undefined, 1_000)));
        else context.waitUntil(new Promise((resolve) => setTimeout(resolve, 700)).then(() => fs.writeFileSync(${JSON.stringify(folder)} + pathname, '')));
        return new Response('done');
      };`,
    );
    const program = await startProgram([...PROGRAM, '--handler', handler, '--listen', 'tcp://127.0.0.1:0', ...args], {
      cwd: ROOT,
    });
    programs.push(program);
    return {
      program,
      url: (program.endpoints.http?.[0] ?? '').replace('tcp:', 'http:'),
      written: (name) => fs.existsSync(path.join(folder, name)),
    };
  }

  test.each([['0'], ['1']])('with %s workers ends after the work, and with status 0', async (workers) => {
    const { program, url, written } = await start('--workers', workers);
    expect(await (await fetch(`${url}/after-${workers}`)).text()).toBe('done');
    expect(written(`after-${workers}`)).toBe(false);
    expect(await program.stop()).toBe(0);
    expect(written(`after-${workers}`)).toBe(true);
  });

  test.each([['0'], ['1']])(
    'with %s workers ends at the drain deadline whatever is left, and says so',
    async (workers) => {
      const { program, url } = await start('--workers', workers, '--drain-timeout', '0.2', '--log-format', 'json');
      await (await fetch(`${url}/never`, { headers: { Connection: 'close' } })).text();
      expect(await program.stop()).toBe(0);
      expect(program.stderr()).toContain('given up at the drain deadline');
    },
  );
});
