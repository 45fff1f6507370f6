// What the suite asks of a file system, in one call each.

import assert from 'node:assert/strict';
import type { Entry, FileProblem, FileSystem, WriteOptions } from '../file-system.ts';

/** What every file system of the suite begins with. */
export const TREE = { '/a.txt': 'hello', '/dir/b': 'b' };

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Stores a file; resolves with the problem, if there was one. */
export async function store(
  files: FileSystem,
  path: string,
  options: WriteOptions,
  ...chunks: string[]
): Promise<FileProblem | undefined> {
  const target = await files.write?.(path, options);
  assert(target !== undefined);
  if (!target.ok) return target.error;
  for (const chunk of chunks) {
    const written = await target.value.write([bytesOf(chunk), bytesOf('')]);
    assert.deepEqual(written, { ok: true, value: undefined });
  }
  const done = await target.value.commit();
  return done.ok ? undefined : done.error;
}

export async function content(files: FileSystem, path: string, startBytes = 0): Promise<string> {
  const source = await files.read(path, { startBytes });
  if (!source.ok) return source.error;
  let text = '';
  const decoder = new TextDecoder();
  for (const buffer = new Uint8Array(7); ;) {
    const read = await source.value.read(buffer);
    assert(read.ok);
    text += decoder.decode(buffer.subarray(0, read.value), { stream: true });
    if (read.value < buffer.length) break;
  }
  await source.value.close();
  return text;
}

export async function entries(files: FileSystem, path: string): Promise<Entry[]> {
  const listed = await files.list(path);
  assert(listed.ok, `${path} can not be listed`);
  const found: Entry[] = [];
  for await (const portion of listed.value) found.push(...portion);
  return found;
}

export const names = async (files: FileSystem, path: string): Promise<string[]> =>
  (await entries(files, path)).map(({ name, type }) => (type === 'directory' ? `${name}/` : name)).sort();

export const problemOf = async (
  result: Promise<{ readonly ok: boolean; readonly error?: FileProblem }> | undefined,
): Promise<string> => {
  const settled = await result;
  return settled === undefined ? 'missing' : settled.ok ? 'done' : (settled.error ?? '');
};
