// What a program's own tests need: a server with files in memory, in the test's process.

import { readFileSync } from 'node:fs';
import { Client } from 'basic-ftp';
import { expect, test } from 'vitest';
import { createFtpServer, memoryFileSystem } from '../src/index.ts';

/** The program under test. */
async function uploadReport(url: string): Promise<void> {
  const client = new Client();
  await client.access({ host: '127.0.0.1', port: Number(new URL(url).port), user: 'ann', password: 'secret' });
  await client.uploadFrom(import.meta.filename, 'report.csv');
  client.close();
}

test('the report arrives', async () => {
  const files = memoryFileSystem();
  const accounts = [{ name: 'ann', password: 'secret', mayWrite: true }];
  await using server = createFtpServer({ fileSystem: files, accounts, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  await uploadReport(bound?.url ?? '');
  expect(await files.stat('/report.csv')).toMatchObject({ ok: true });
});

test('is what the guides show', () => {
  const lines = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8').replace(/^ +/gm, '');
  const [shown = ''] = /test\('the report arrives'[^]*?\n\}\);\n/.exec(lines('embedding.test.ts')) ?? [];
  expect(shown.split('\n').length).toBeGreaterThan(6);
  expect(lines('../../../docs/from-ftp-srv.md')).toContain(shown);
});
