// Over real sockets, with curl as the client.

import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createHttpServer, HttpResponse, serveFiles, type FetchHandler } from '../src/index.ts';

const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl && process.env.CI !== undefined) throw new Error('curl is needed in CI');
if (!hasCurl) console.warn('curl is not installed: the tests over real sockets are skipped');

async function withServer(handler: FetchHandler, use: (url: string) => Promise<void>): Promise<void> {
  await using server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  await use((bound?.url ?? '').replace('tcp:', 'http:'));
}
const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sS', '--max-time', '10', ...args], { maxBuffer: 50_000_000 })).stdout;

describe.skipIf(!hasCurl)('curl', () => {
  test('gets an answer over one connection several times', async () => {
    await withServer((request) => new HttpResponse(new URL(request.url).pathname), async (url) => {
      expect(await curl('-w', '%{num_connects} ', `${url}/a`, `${url}/b`)).toBe('/a1 /b0 ');
    });
  });

  test('uploads and gets it back, with and without a length, as a large stream', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')), 'upload');
    fs.writeFileSync(file, Buffer.alloc(900_000, 'upload'));
    await withServer((request) => new HttpResponse(request.body), async (url) => {
      expect((await curl('--data-binary', `@${file}`, url)).length).toBe(900_000);
      expect((await curl('-H', 'Transfer-Encoding: chunked', '-T', file, url)).length).toBe(900_000);
      expect((await curl('--http1.0', '--data-binary', `@${file}`, url)).length).toBe(900_000);
    });
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test('an upload that is refused early still reads the answer', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')), 'upload');
    fs.writeFileSync(file, Buffer.alloc(3_000_000));
    await withServer(() => new HttpResponse('never'), async (url) => {
      expect(await curl('-o', '/dev/null', '-w', '%{http_code}', '-H', 'Expect:', '--data-binary', `@${file}`, url)).toBe('413');
    });
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test('downloads a file, and resumes it', async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-'));
    const content = Buffer.alloc(2_000_000, '0123456789');
    fs.writeFileSync(path.join(root, 'big.txt'), content);
    await withServer(serveFiles(root), async (url) => {
      expect(await curl(`${url}/big.txt`) === content.toString()).toBe(true);
      expect(await curl('-r', '1999990-', '-w', ' %{http_code}', `${url}/big.txt`)).toBe('0123456789 206');
      expect(await curl('-I', '-o', '/dev/null', '-w', '%{http_code}', `${url}/big.txt`)).toBe('200');
    });
    fs.rmSync(root, { recursive: true });
  });
});
