// The promises that every file system keeps, as tests that its author runs.
//
// Bring the test functions of vitest, node:test or the like; the suite itself needs neither. A promise about a method that
// the file system does not have is not registered.

import assert from 'node:assert/strict';
import type { TestFunctions } from '@wellknown/core/testing';
import type { FileSystem } from '../file-system.ts';
import { bytesOf, content, entries, names, problemOf, store, TREE } from './file-system-calls.ts';
import { describeLinks } from './link-promises.ts';

export interface FileSystemSubject {
  readonly name: string;
  /** A new file system with these files, given by absolute path and content, and their directories. */
  create(files: Readonly<Record<string, string>>): Promise<FileSystem>;
  /**
   * The same with symbolic links, by path and target. Without it the promises about links are not registered. They are about
   * links that are followed for reading only.
   */
  createLinked?(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): Promise<FileSystem>;
  /** An aborted upload leaves its beginning, to be resumed. Default: what was there before is untouched. */
  readonly keepsAborted?: boolean;
  /** A directory is made of the names in it, as in an object store: an empty one may not be told from none. */
  readonly hasNoEmptyDirectories?: boolean;
  /** REST and APPE are refused as `unsupported`. */
  readonly isNeverContinued?: boolean;
}

/** Registers the suite. Every case makes a file system of its own. */
export function describeFileSystem(subject: FileSystemSubject, { describe, test }: TestFunctions): void {
  const { keepsAborted = false, hasNoEmptyDirectories = false, isNeverContinued = false } = subject;

  /** A case that needs methods; skipped without a word where one is missing. */
  const promise = (
    name: string,
    needs: readonly (keyof FileSystem)[],
    run: (files: FileSystem) => Promise<void>,
  ): void => {
    test(name, async () => {
      const files = await subject.create(TREE);
      if (needs.every((method) => files[method] !== undefined)) await run(files);
    });
  };

  describe(`${subject.name} keeps the promises of every file system`, () => {
    promise('what is there is listed, told of and read, from any position', [], async (files) => {
      assert.deepEqual(await names(files, '/'), ['a.txt', 'dir/']);
      assert.deepEqual(await names(files, '/dir'), ['b']);
      const told = await files.stat('/a.txt');
      assert(told.ok);
      assert.deepEqual([told.value.name, told.value.type, told.value.sizeBytes], ['a.txt', 'file', 5]);
      const root = await files.stat('/');
      assert(root.ok);
      assert.equal(root.value.type, 'directory');
      const listed = (await entries(files, '/')).find(({ name }) => name === 'a.txt');
      assert.deepEqual([listed?.type, listed?.sizeBytes, listed?.mtimeMs], ['file', 5, told.value.mtimeMs]);
      assert.deepEqual(
        [await content(files, '/a.txt'), await content(files, '/a.txt', 3), await content(files, '/a.txt', 5)],
        ['hello', 'lo', ''],
      );
    });

    promise('a source tells its size, and may be closed in the middle', [], async (files) => {
      const source = await files.read('/a.txt', { startBytes: 2 });
      assert(source.ok);
      assert.equal(source.value.sizeBytes, 5);
      await source.value.read(new Uint8Array(1));
      await source.value.close();
    });

    promise('a listing may be left before its end', [], async (files) => {
      const listed = await files.list('/');
      assert(listed.ok);
      for await (const portion of listed.value) {
        assert(portion.length > 0);
        break;
      }
    });

    promise('what is not there, or is of the other kind, is said in the words of the contract', [], async (files) => {
      assert.equal(await content(files, '/a.txt', 6), 'bad-start');
      assert.equal(await content(files, '/none'), 'not-found');
      assert.equal(await content(files, '/dir'), 'is-directory');
      assert.equal(await content(files, '/a.txt/x'), 'not-found');
      assert.equal(await problemOf(files.stat('/none')), 'not-found');
      assert.equal(await problemOf(files.list('/none')), 'not-found');
      assert.equal(await problemOf(files.list('/a.txt')), 'not-directory');
    });

    promise('an upload makes a file, and replaces one', ['write'], async (files) => {
      assert.equal(await store(files, '/new', { mode: 'replace' }, 'one', 'two'), undefined);
      assert.equal(await content(files, '/new'), 'onetwo');
      assert.equal(await store(files, '/new', { mode: 'replace' }, 'x'), undefined);
      assert.equal(await content(files, '/new'), 'x');
      assert.equal(await store(files, '/empty', { mode: 'replace' }), undefined);
      assert.equal(await content(files, '/empty'), '');
      assert.equal(await store(files, '/unique', { mode: 'create' }, 'u'), undefined);
      assert.equal(await content(files, '/unique'), 'u');
    });

    promise('an upload that goes on where a file ends, or in its middle', ['write'], async (files) => {
      const expected = isNeverContinued ? 'unsupported' : undefined;
      assert.equal(await store(files, '/a.txt', { mode: 'replace', startBytes: 2 }, 'LP'), expected);
      assert.equal(await store(files, '/a.txt', { mode: 'append' }, '!'), expected);
      assert.equal(await content(files, '/a.txt'), isNeverContinued ? 'hello' : 'heLP!');
      assert.equal(await store(files, '/made', { mode: 'append' }, 'new'), undefined);
      assert.equal(await content(files, '/made'), 'new');
      assert.notEqual(await store(files, '/a.txt', { mode: 'replace', startBytes: 99 }, 'x'), undefined);
    });

    promise('an upload is refused where it can not be', ['write'], async (files) => {
      assert.equal(await store(files, '/dir', { mode: 'replace' }), 'is-directory');
      assert.equal(await store(files, '/a.txt', { mode: 'create' }), 'exists');
      assert.notEqual(await store(files, '/', { mode: 'replace' }), undefined);
      if (!hasNoEmptyDirectories) assert.equal(await store(files, '/none/x', { mode: 'replace' }), 'not-found');
    });

    promise('of two uploads that must be new, one gets the name', ['write'], async (files) => {
      const first = await files.write?.('/same', { mode: 'create' });
      const second = await files.write?.('/same', { mode: 'create' });
      assert(first?.ok === true);
      if (second?.ok === true) {
        await second.value.write([bytesOf('second')]);
        assert.deepEqual(await second.value.commit(), { ok: true, value: undefined });
        assert.deepEqual(await first.value.commit(), { ok: false, error: 'exists' });
        assert.equal(await content(files, '/same'), 'second');
      } else await first.value.commit();
    });

    promise(
      'an upload is said to be stored only where it can be found',
      ['write', 'removeDirectory'],
      async (files) => {
        await files.makeDirectory?.('/going');
        const target = await files.write?.('/going/x', { mode: 'replace' });
        assert(target?.ok === true);
        await target.value.write([bytesOf('x')]);
        await files.removeDirectory?.('/going');
        const done = await target.value.commit();
        assert.equal(await content(files, '/going/x'), done.ok ? 'x' : 'not-found');
      },
    );

    promise('an upload that is aborted does not look like one that is whole', ['write'], async (files) => {
      for (const path of ['/a.txt', '/new']) {
        const target = await files.write?.(path, { mode: 'replace' });
        assert(target?.ok === true);
        await target.value.write([bytesOf('half')]);
        const during = await names(files, '/');
        assert.deepEqual(during, path === '/new' && keepsAborted ? ['a.txt', 'dir/', 'new'] : ['a.txt', 'dir/']);
        await target.value.abort();
      }
      assert.equal(await content(files, '/a.txt'), keepsAborted ? 'half' : 'hello');
      assert.equal(await content(files, '/new'), keepsAborted ? 'half' : 'not-found');
    });

    promise('files are removed', ['removeFile', 'write'], async (files) => {
      assert.equal(await problemOf(files.removeFile?.('/a.txt')), 'done');
      assert.equal(await content(files, '/a.txt'), 'not-found');
      assert.equal(await problemOf(files.removeFile?.('/none')), 'not-found');
      assert.equal(await problemOf(files.removeFile?.('/dir')), 'is-directory');
      assert.notEqual(await problemOf(files.removeFile?.('/')), 'done');
    });

    promise('directories are made and removed', ['makeDirectory', 'removeDirectory', 'removeFile'], async (files) => {
      assert.equal(await problemOf(files.makeDirectory?.('/d2')), 'done');
      assert.deepEqual(await names(files, '/'), ['a.txt', 'd2/', 'dir/']);
      assert.deepEqual(await names(files, '/d2'), []);
      assert.equal(await problemOf(files.makeDirectory?.('/dir')), 'exists');
      assert.equal(await problemOf(files.makeDirectory?.('/a.txt')), 'exists');
      if (!hasNoEmptyDirectories) assert.equal(await problemOf(files.makeDirectory?.('/x/y')), 'not-found');
      assert.equal(await problemOf(files.removeDirectory?.('/d2')), 'done');
      assert.equal(await problemOf(files.removeDirectory?.('/dir')), 'not-empty');
      assert.equal(await problemOf(files.removeDirectory?.('/a.txt')), 'not-directory');
      assert.equal(await problemOf(files.removeDirectory?.('/none')), 'not-found');
      assert.notEqual(await problemOf(files.removeDirectory?.('/')), 'done');
    });

    promise('files and directories are renamed; a file is replaced, a directory never', ['rename'], async (files) => {
      assert.equal(await problemOf(files.rename?.('/none', '/x')), 'not-found');
      assert.equal(await problemOf(files.rename?.('/a.txt', '/dir')), 'exists');
      assert.equal(await problemOf(files.rename?.('/a.txt', '/dir/c')), 'done');
      assert.equal(await content(files, '/dir/c'), 'hello');
      assert.equal(await problemOf(files.rename?.('/dir/b', '/dir/c')), 'done');
      assert.equal(await content(files, '/dir/c'), 'b');
      assert.equal(await problemOf(files.rename?.('/dir', '/d3')), 'done');
      assert.deepEqual([await names(files, '/'), await names(files, '/d3')], [['d3/'], ['c']]);
      assert.notEqual(await problemOf(files.rename?.('/', '/x')), 'done');
      assert.notEqual(await problemOf(files.rename?.('/d3', '/')), 'done');
      assert.notEqual(await problemOf(files.rename?.('/d3', '/d3/below')), 'done');
      assert.equal(await problemOf(files.rename?.('/d3/c', '/d3/c')), 'done');
      assert.equal(await content(files, '/d3/c'), 'b');
    });

    promise('times are set', ['setTimes'], async (files) => {
      assert.equal(await problemOf(files.setTimes?.('/a.txt', { mtimeMs: 1e12 })), 'done');
      const told = await files.stat('/a.txt');
      assert.equal(told.ok && told.value.mtimeMs, 1e12);
      // Before 1970, and beyond what 32 bits hold.
      for (const mtimeMs of [-86_400_000, 4_323_000_000_000]) {
        assert.equal(await problemOf(files.setTimes?.('/a.txt', { mtimeMs })), 'done');
        const then = await files.stat('/a.txt');
        assert.equal(then.ok && then.value.mtimeMs, mtimeMs);
      }
      assert.equal(await problemOf(files.setTimes?.('/none', { mtimeMs: 0 })), 'not-found');
    });

    promise('modes are set', ['setMode'], async (files) => {
      assert.equal(await problemOf(files.setMode?.('/a.txt', 0o640)), 'done');
      const told = await files.stat('/a.txt');
      assert.equal(told.ok && told.value.mode, 0o640);
      assert.equal(await problemOf(files.setMode?.('/none', 0o600)), 'not-found');
    });

    promise('the room is a number', ['space'], async (files) => {
      const space = await files.space?.('/');
      assert(space?.ok === true && space.value.freeBytes >= 0);
    });

    if (subject.createLinked !== undefined) describeLinks(subject.createLinked.bind(subject), { test });

    promise('names are any that a file may have', ['write'], async (files) => {
      for (const name of ['a b', 'grün 🐱', '-l', 'a*b?[c]', 'it\'s "so"', '%41', 'a\\b'])
        assert.equal(await store(files, `/dir/${name}`, { mode: 'replace' }, name), undefined, name);
      for (const { name } of await entries(files, '/dir'))
        assert.equal(await content(files, `/dir/${name}`), name, name);
    });
  });
}
