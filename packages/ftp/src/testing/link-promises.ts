// The promises about symbolic links, of file systems that have them.

import assert from 'node:assert/strict';
import type { TestFunctions } from '@wellknown/core/testing';
import type { FileSystem } from '../file-system.ts';
import { content, entries, problemOf, store, TREE } from './file-system-calls.ts';

/** A file, a directory from the root, a directory above, nothing, and itself. */
const LINKS = { '/l': 'a.txt', '/d': '/dir', '/dir/up': '..', '/dangling': 'none', '/loop': 'loop' };

type Content = Readonly<Record<string, string>>;

/** Registers the promises about links. `create` makes a file system with these files and these links. */
export function describeLinks(
  create: (files: Content, links: Content) => Promise<FileSystem>,
  { test }: Pick<TestFunctions, 'test'>,
): void {
  const promise = (name: string, run: (files: FileSystem) => Promise<void>): void => {
    test(name, async () => run(await create(TREE, LINKS)));
  };
  const typeOf = async (files: FileSystem, path: string, followLinks?: boolean): Promise<string> => {
    const told = await files.stat(path, followLinks === undefined ? {} : { followLinks });
    return told.ok ? told.value.type : told.error;
  };

  promise('links are listed as links, and as what they lead to where that is asked for', async (files) => {
    const linksIn = async (path: string): Promise<unknown> =>
      Object.fromEntries(
        (await entries(files, path)).filter(({ type }) => type === 'link').map(({ name, target }) => [name, target]),
      );
    assert.deepEqual(await linksIn('/'), { l: 'a.txt', d: '/dir', dangling: 'none', loop: 'loop' });
    assert.deepEqual(await linksIn('/d'), { up: '..' });
    const listed = await files.list('/', { followLinks: true });
    assert(listed.ok);
    const types: Record<string, string> = {};
    for await (const portion of listed.value) for (const { name, type } of portion) types[name] = type;
    assert.deepEqual(
      { l: types.l, d: types.d, dangling: types.dangling, loop: types.loop },
      { l: 'file', d: 'directory', dangling: 'link', loop: 'link' },
    );
  });

  promise(
    'links are followed for reading, on the way and at the end, and told of where that is asked for',
    async (files) => {
      assert.deepEqual(
        [await typeOf(files, '/l'), await typeOf(files, '/l', false), await typeOf(files, '/d')],
        ['file', 'link', 'directory'],
      );
      assert.deepEqual(
        [await typeOf(files, '/dangling'), await typeOf(files, '/dangling', false), await typeOf(files, '/dir/up')],
        ['not-found', 'link', 'directory'],
      );
      assert.notEqual(await typeOf(files, '/loop'), 'file');
      assert.notEqual(await typeOf(files, '/loop/x'), 'file');
      assert.deepEqual(
        [await content(files, '/l'), await content(files, '/d/b'), await content(files, '/d/up/dir/up/a.txt')],
        ['hello', 'b', 'hello'],
      );
      assert.equal(await content(files, '/dangling'), 'not-found');
    },
  );

  promise('what is removed or renamed is the link itself', async (files) => {
    if (files.removeFile === undefined || files.rename === undefined) return;
    assert.equal(await problemOf(files.removeDirectory?.('/d')), 'not-directory');
    assert.equal(await problemOf(files.rename('/d', '/e')), 'done');
    assert.deepEqual([await typeOf(files, '/d', false), await typeOf(files, '/e', false)], ['not-found', 'link']);
    assert.equal(await problemOf(files.removeFile('/e')), 'done');
    assert.equal(await content(files, '/dir/b'), 'b');
    assert.equal(await problemOf(files.rename('/dir/b', '/l')), 'done');
    assert.deepEqual([await content(files, '/l'), await content(files, '/a.txt')], ['b', 'hello']);
    assert.notEqual(await problemOf(files.rename('/dir', '/dir/up/dir/below')), 'done');
  });

  promise('nothing is written or changed through a link at the last name, on the way it is followed', async (files) => {
    if (files.write === undefined) return;
    for (const path of ['/l', '/dangling'])
      for (const mode of ['replace', 'append', 'create'] as const)
        assert.notEqual(await store(files, path, { mode }, 'x'), undefined, `${mode} ${path}`);
    assert.notEqual(await problemOf(files.setTimes?.('/l', { mtimeMs: 1e12 })), 'done');
    assert.notEqual(await problemOf(files.setMode?.('/l', 0o600)), 'done');
    assert.deepEqual([await content(files, '/a.txt'), await typeOf(files, '/l', false)], ['hello', 'link']);
    assert.equal(await store(files, '/d/up/new', { mode: 'replace' }, 'n'), undefined);
    assert.equal(await content(files, '/new'), 'n');
    assert.equal(
      await problemOf(files.makeDirectory?.('/l')),
      files.makeDirectory === undefined ? 'missing' : 'exists',
    );
  });
}
