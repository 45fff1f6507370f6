// What a program's own tests need: a server with files in memory, in the test's process.

import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { expect, test } from 'vitest';
import {
  createFtpServer,
  fail,
  memoryFileSystem,
  ok,
  readSourceFrom,
  type Entry,
  type FileProblem,
  type FileSystem,
  type ReadSource,
  type Result,
} from '../src/index.ts';

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

test('a file system of your own needs nothing but this package', async () => {
  const file = Buffer.from('hello');
  const entries = new Map<string, Entry>([
    ['/', { name: '', type: 'directory', sizeBytes: 0, mtimeMs: 0 }],
    ['/a', { name: 'a', type: 'file', sizeBytes: file.length, mtimeMs: 0 }],
  ]);
  const found = (path: string): Result<Entry, FileProblem> => {
    const entry = entries.get(path);
    return entry === undefined ? fail('not-found') : ok(entry);
  };
  const own: FileSystem = {
    stat: (path) => Promise.resolve(found(path)),
    list: () => Promise.resolve(ok(Readable.from([[entries.get('/a')]]))),
    read: (path, { startBytes }) => {
      const source = (): ReadSource => readSourceFrom(Readable.from([file.subarray(startBytes)]), file.length);
      return Promise.resolve(path === '/a' ? ok(source()) : fail('not-found'));
    },
  };
  await using server = createFtpServer({ fileSystem: own, listen: 'tcp://127.0.0.1:0' });
  await server.listen();
  const client = new Client();
  await client.access({ host: '127.0.0.1', port: Number(server.port) });
  expect((await client.list()).map(({ name }) => name)).toEqual(['a']);
  const heard: Buffer[] = [];
  const into = new Writable({
    write(chunk: Buffer, _, next) {
      heard.push(chunk);
      next();
    },
  });
  await client.downloadTo(into, 'a', 2);
  await expect(client.size('none')).rejects.toThrow('550');
  client.close();
  expect(Buffer.concat(heard).toString()).toBe('llo');
});
