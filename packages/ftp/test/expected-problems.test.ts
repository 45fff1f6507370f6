// What may go wrong with a file is answered and no error in the log; what is somebody's mistake is both.

import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ok, silentLog, type Logger } from '@wellknown/core';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { FileSystem } from '../src/file-system.ts';
import { diskFileSystem, memoryFileSystem } from '../src/index.ts';
import { openSession, readAll, withServer, type FtpSession } from './ftp-session.ts';

const errno = (code: string): Error => Object.assign(new Error(`${code}: a path of the system`), { code });

/** What the client hears, and what the log says of errors. */
async function heard(fileSystem: FileSystem, use: (session: FtpSession) => Promise<string[]>) {
  const errors: unknown[] = [];
  const log: Logger = { ...silentLog, error: (...line: unknown[]) => void errors.push(line) };
  let replies: string[] = [];
  await withServer({ fileSystem, log }, async (url) => {
    replies = await use(await openSession(url));
  });
  return { codes: replies.map((text) => text.slice(0, 3)), errors };
}

const directory = async (): Promise<string> => {
  const made = await mkdtemp(path.join(os.tmpdir(), 'ftp-expected-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
};

test.each(['LIST gone', 'NLST gone', 'MLSD gone'])(
  '%s of a directory that goes before its first entry was read is answered 550',
  async (command) => {
    const root = await directory();
    await mkdir(path.join(root, 'gone'));
    const disk = diskFileSystem(root);
    const fileSystem: FileSystem = {
      ...disk,
      async list(at, options) {
        const listed = await disk.list(at, options);
        await rmdir(path.join(root, 'gone'));
        return listed;
      },
    };
    const { codes, errors } = await heard(fileSystem, async (session) => {
      const data = await session.openData();
      const opening = await session.say(command);
      const [closing] = await Promise.all([session.hear(), readAll(data)]);
      return [opening, closing];
    });
    // The directory may be gone before the listing is open, or after.
    expect(codes.at(-1)).toBe('550');
    expect(errors).toEqual([]);
  },
);

test.each([
  ['ENOENT', '550', 0],
  ['ENOTDIR', '550', 0],
  ['ELOOP', '550', 0],
  ['EACCES', '550', 0],
  ['ENAMETOOLONG', '553', 0],
  ['ENOSPC', '452', 0],
  ['EIO', '451', 1],
])('a file system that throws %s is answered %s, with %i errors in the log', async (code, reply, logged) => {
  const thrown = (): Promise<never> => Promise.reject(errno(code));
  const memory = memoryFileSystem();
  const fileSystem: FileSystem = {
    ...memory,
    read: thrown,
    removeFile: thrown,
    // In the middle of an upload.
    write: async () => ok({ write: thrown, commit: thrown, abort: () => Promise.resolve() }),
  };
  const { codes, errors } = await heard(fileSystem, async (session) => {
    const removed = await session.say('DELE a');
    const download = await session.openData();
    const refused = await session.say('RETR a');
    download.destroy();
    const upload = await session.openData();
    upload.end('bytes');
    await session.say('STOR a');
    return [removed, refused, await session.hear()];
  });
  expect(codes).toEqual([reply, reply, reply]);
  expect(errors).toHaveLength(3 * logged);
});

test('an upload whose name must be new is stored once it has that name, also where its part can not be removed', async () => {
  const root = await directory();
  const files = diskFileSystem(root);
  const target = await files.write('/new', { mode: 'create' });
  if (!target.ok) throw new Error(target.error);
  const unlink = vi.spyOn(fs.promises, 'unlink').mockRejectedValue(errno('EIO'));
  onTestFinished(() => unlink.mockRestore());
  expect(await target.value.write([Buffer.from('bytes')])).toEqual(ok(undefined));
  expect(await target.value.commit()).toEqual(ok(undefined));
  expect(fs.readFileSync(path.join(root, 'new'), 'latin1')).toBe('bytes');
});
