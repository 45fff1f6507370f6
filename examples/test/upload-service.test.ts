import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { uploadService } from '../upload-service.ts';

interface Hooked {
  readonly headers: IncomingMessage['headers'];
  readonly digest: string;
}

/** A web hook that answers with a status, and what it has been sent whole. */
async function startHook(status: number): Promise<{ readonly url: string; readonly hooked: Hooked[] }> {
  const hooked: Hooked[] = [];
  const server = createServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => {
      hooked.push({ headers: request.headers, digest: hash.digest('hex') });
      response.writeHead(status).end();
    });
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`, hooked };
}

async function startService(hook: string): Promise<string> {
  const service = uploadService(hook, 'tcp://127.0.0.1:0');
  onTestFinished(() => service.close({ graceMs: 0 }));
  const [bound] = await service.listen();
  return (bound?.url ?? '').replace('tcp://', 'ftp://camera:secret@');
}

async function photo(bytes: Uint8Array): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'upload-service-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, 'photo.jpg');
  await writeFile(file, bytes);
  return file;
}

/** curl's exit status, and what it said. */
function curl(...words: string[]): Promise<{ readonly status: number | null; readonly said: string }> {
  const child = spawn('curl', ['-sS', '--verbose', ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, said })));
}

describe('the upload service', () => {
  test('passes an upload on, with its path and its user, and says 226 when the hook has it', async () => {
    const { url, hooked } = await startHook(204);
    const bytes = randomBytes(3_000_000);
    const sent = await curl(
      '-T',
      await photo(bytes),
      `${await startService(url)}/2026.11/d%C3%B6or/`,
      '--ftp-create-dirs',
    );
    expect(sent).toMatchObject({ status: 0, said: expect.stringContaining('< 226') as string });
    expect(hooked).toMatchObject([
      {
        headers: { 'x-path': '/2026.11/d%C3%B6or/photo.jpg', 'x-user': 'camera', 'x-address': '127.0.0.1' },
        digest: createHash('sha256').update(bytes).digest('hex'),
      },
    ]);
  });

  test.each([
    [413, '552'],
    [422, '553'],
    [500, '450'],
  ])('tells the device what %i of the hook means: %s', async (status, code) => {
    const { url } = await startHook(status);
    const sent = await curl('-T', await photo(randomBytes(1000)), `${await startService(url)}/`);
    expect(sent.status).not.toBe(0);
    expect(sent.said).toContain(`< ${code} `);
  });

  test('does not pass on as whole what was cut', async () => {
    const { url, hooked } = await startHook(204);
    const at = new URL(await startService(url));
    const cut = await curl(
      '-T',
      await photo(randomBytes(8_000_000)),
      at.href,
      '--limit-rate',
      '4M',
      '--max-time',
      '0.7',
    );
    expect(cut.status).toBe(28);
    expect(hooked).toEqual([]);
  });
});
