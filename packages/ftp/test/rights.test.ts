import { describe, expect, test } from 'vitest';
import type { Entry, FileSystem } from '../src/file-system.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { openLogin } from '../src/users/login.ts';
import { isNothing, NAMED_RIGHTS, resolveRights, type RightsOption } from '../src/users/rights.ts';

const refused = (error: string) => ({ ok: false, error });
const done = { ok: true, value: undefined };

const files = { '/pub/a.txt': 'a', '/pub/deep/b.txt': 'b', '/incoming/c.txt': 'c', '/secret/d.txt': 'd' };
const loginWith = (rights: RightsOption): FileSystem =>
  openLogin(
    { rights },
    { user: 'ann', remote: { family: 'ipv4', address: '192.0.2.9', port: 4000 }, secure: true },
    memoryFileSystem({ files }),
  ).fileSystem;

async function names(fileSystem: FileSystem, path: string): Promise<string[] | string> {
  const entries = await fileSystem.list(path);
  if (!entries.ok) return entries.error;
  const found: Entry[] = [];
  for await (const portion of entries.value) found.push(...portion);
  return found.map(({ name }) => name).sort();
}

async function store(fileSystem: FileSystem, path: string, bytes: number, more: object = {}): Promise<string> {
  const target = await fileSystem.write?.(path, { mode: 'replace', ...more });
  if (target === undefined) return 'missing';
  if (!target.ok) return target.error;
  const written = await target.value.write([new Uint8Array(bytes)]);
  if (!written.ok) {
    await target.value.abort();
    return written.error;
  }
  const committed = await target.value.commit();
  return committed.ok ? 'stored' : committed.error;
}

describe('rules', () => {
  test('the rule for the longest path holds, for the path itself and what is below', () => {
    const rights = resolveRights({ '/': 'read', '/incoming': 'drop-box', '/incoming/ann/': 'full' });
    if (!rights.ok) throw new Error(rights.error);
    const at = (path: string) => rights.value.at(path);
    expect(at('/')).toBe(NAMED_RIGHTS.read);
    expect(at('/incomings')).toBe(NAMED_RIGHTS.read);
    expect(at('/incoming')).toBe(NAMED_RIGHTS['drop-box']);
    expect(at('/incoming/x/y')).toBe(NAMED_RIGHTS['drop-box']);
    expect(at('/incoming/ann')).toBe(NAMED_RIGHTS.full);
    expect(at('/incoming/ann/x')).toBe(NAMED_RIGHTS.full);
    expect(rights.value.mayChange).toBe(true);
  });

  test('a path without a rule has no rights, and a rule may change a named set', () => {
    const rights = resolveRights({ '/a': { base: 'full', delete: false } });
    expect(rights.ok && rights.value.at('/')).toEqual(NAMED_RIGHTS.none);
    expect(rights.ok && rights.value.at('/a')).toEqual({ ...NAMED_RIGHTS.full, delete: false });
  });

  test('that are no rules by path hold everywhere, below no path others, and fix the root alone', () => {
    for (const option of ['full', { base: 'full' }] as const) {
      const rights = resolveRights(option);
      if (!rights.ok) throw new Error(rights.error);
      const { value } = rights;
      expect(value.at('/a/b')).toEqual(NAMED_RIGHTS.full);
      expect(['/', '/a'].map((path) => [value.hasRuleBelow(path), value.isFixed(path)])).toEqual([
        [false, true],
        [false, false],
      ]);
    }
  });

  test.each(['write', 'delete', 'rename', 'makeDirectories', 'attributes'] as const)(
    'with nothing but %s may change something, and are not nothing',
    (right) => {
      const one = { [right]: right === 'write' ? 'create' : true };
      const rights = resolveRights({ '/a': one });
      expect(rights.ok && [rights.value.mayChange, isNothing(rights.value.at('/a'))]).toEqual([true, false]);
      expect(isNothing(NAMED_RIGHTS.none)).toBe(true);
    },
  );

  test('a rule for what is no path is a mistake that is told', () => {
    expect(resolveRights({ '/a\n': 'read' }).ok).toBe(false);
    expect(() => loginWith({ '/a\n': 'read' })).toThrow('no absolute path');
    expect(resolveRights({ '/': 'read', incoming: 'full' } as RightsOption).ok).toBe(false);
  });
});

describe('a user', () => {
  test('who reads changes nothing', async () => {
    const ann = loginWith('read');
    expect(await names(ann, '/pub')).toEqual(['a.txt', 'deep']);
    expect((await ann.read('/pub/a.txt', { startBytes: 0 })).ok).toBe(true);
    expect(await store(ann, '/pub/new', 1)).toBe('denied');
    expect(await ann.removeFile?.('/pub/a.txt')).toEqual(refused('denied'));
    expect(await ann.makeDirectory?.('/pub/x')).toEqual(refused('denied'));
    expect(await ann.removeDirectory?.('/pub/deep')).toEqual(refused('denied'));
    expect(await ann.rename?.('/pub/a.txt', '/pub/b')).toEqual(refused('denied'));
    expect(await ann.setTimes?.('/pub/a.txt', { mtimeMs: 0 })).toEqual(refused('denied'));
    expect(await ann.setMode?.('/pub/a.txt', 0o600)).toEqual(refused('denied'));
  });

  test('with everything does everything', async () => {
    const ann = loginWith('full');
    expect(await store(ann, '/pub/a.txt', 1)).toBe('stored');
    expect(await ann.rename?.('/pub/a.txt', '/pub/z')).toEqual(done);
    expect(await ann.removeFile?.('/pub/z')).toEqual(done);
    expect(await ann.makeDirectory?.('/pub/x')).toEqual(done);
    expect(await ann.removeDirectory?.('/pub/x')).toEqual(done);
  });

  test('who only creates adds files, and none takes the place of another', async () => {
    const ann = loginWith('create-only');
    expect(await store(ann, '/pub/new', 3)).toBe('stored');
    expect(await store(ann, '/pub/new', 3)).toBe('no-overwrite');
    expect(await store(ann, '/pub/new', 3, { mode: 'append' })).toBe('no-overwrite');
    expect(await store(ann, '/pub/new', 3, { startBytes: 1 })).toBe('no-overwrite');
    expect(await store(ann, '/pub/unique', 1, { mode: 'create' })).toBe('stored');
    expect(await ann.makeDirectory?.('/pub/x')).toEqual(done);
    expect(await ann.rename?.('/pub/new', '/pub/a.txt')).toEqual(refused('denied'));
    expect(await ann.removeFile?.('/pub/new')).toEqual(refused('denied'));
  });

  test('who only creates and renames takes no name that is taken', async () => {
    const ann = loginWith({ base: 'create-only', rename: true });
    expect(await ann.rename?.('/pub/a.txt', '/pub/deep/b.txt')).toEqual(refused('no-overwrite'));
    expect(await ann.rename?.('/pub/a.txt', '/pub/deep/c.txt')).toEqual(done);
  });

  test('who only creates does not win against an upload of the same name that was faster', async () => {
    const ann = loginWith('create-only');
    const slow = await ann.write?.('/pub/same', { mode: 'replace' });
    expect(await store(ann, '/pub/same', 1)).toBe('stored');
    expect(slow?.ok === true && (await slow.value.commit())).toEqual(refused('no-overwrite'));
  });

  test('at a drop box puts files in, and learns of nothing in it', async () => {
    const ann = loginWith({ '/': 'read', '/incoming': 'drop-box' });
    expect(await store(ann, '/incoming/mine', 1)).toBe('stored');
    expect((await ann.stat('/incoming')).ok).toBe(true);
    expect(await names(ann, '/incoming')).toBe('denied');
    for (const path of ['/incoming/c.txt', '/incoming/none']) {
      expect(await ann.stat(path)).toEqual(refused('denied'));
      expect(await ann.read(path, { startBytes: 0 })).toEqual(refused('denied'));
    }
    expect(await names(ann, '/')).toEqual(['incoming', 'pub', 'secret']);
  });

  test('does not see what they have no rights to, only the way to what they have', async () => {
    const ann = loginWith({ '/': 'read', '/secret': 'none', '/pub': 'none', '/pub/deep': 'full' });
    expect(await names(ann, '/')).toEqual(['incoming', 'pub']);
    expect(await ann.stat('/secret')).toEqual(refused('not-found'));
    expect(await ann.stat('/secret/d.txt')).toEqual(refused('not-found'));
    expect(await ann.read('/secret/d.txt', { startBytes: 0 })).toEqual(refused('not-found'));
    expect((await ann.stat('/pub')).ok).toBe(true);
    expect(await names(ann, '/pub')).toBe('denied');
    expect(await names(ann, '/pub/deep')).toEqual(['b.txt']);
  });

  test('hears of the room of the disk where they may list', async () => {
    const ann = loginWith({ '/': 'none', '/pub': 'read', '/incoming': 'drop-box' });
    expect((await ann.space?.('/pub'))?.ok).toBe(true);
    expect(await ann.space?.('/incoming')).toEqual(refused('denied'));
    expect(await ann.space?.('/secret')).toEqual(refused('not-found'));
  });

  test.each(['delete', 'rename'] as const)('who may only %s learns of what is there', async (right) => {
    const ann = loginWith({ '/': 'read', '/incoming': { [right]: true } });
    expect((await ann.stat('/incoming/c.txt')).ok).toBe(true);
    expect(await ann.stat('/incoming/none')).toEqual(refused('not-found'));
  });

  test('does not see below the root what they have no rights to', async () => {
    const ann = loginWith({ '/': 'read', '/pub/deep': 'none' });
    expect(await names(ann, '/pub')).toEqual(['a.txt']);
  });

  test('does not move a directory away from the rules for what is in it', async () => {
    const ann = loginWith({ '/': 'full', '/pub/deep': 'read' });
    expect(await ann.rename?.('/pub', '/elsewhere')).toEqual(refused('denied'));
    expect(await ann.rename?.('/pub/deep', '/elsewhere')).toEqual(refused('denied'));
    expect(await ann.rename?.('/secret', '/elsewhere')).toEqual(done);
  });

  test('moves nothing that a rule names, and puts nothing in its place', async () => {
    const ann = loginWith({ '/': 'full', '/pub/deep': { base: 'full', delete: false }, '/later': 'full' });
    expect(await ann.rename?.('/pub/deep', '/elsewhere')).toEqual(refused('denied'));
    expect(await ann.rename?.('/secret', '/later')).toEqual(refused('denied'));
    expect(await ann.rename?.('/pub/deep/b.txt', '/pub/deep/c.txt')).toEqual(done);
  });

  test.each([
    ['as large as it may be', 10, {}, 'stored'],
    ['one byte larger', 11, {}, 'over-quota'],
    ['said to be larger', 1, { expectedBytes: 11 }, 'over-quota'],
    ['continued to what it may be', 9, { startBytes: 1 }, 'stored'],
    ['continued beyond that', 10, { startBytes: 1 }, 'over-quota'],
    ['appended to up to that', 9, { mode: 'append' }, 'stored'],
    ['appended to beyond that', 10, { mode: 'append' }, 'over-quota'],
  ])('with a largest size stores a file %s or hears 552', async (_, bytes, more, expected) => {
    const ann = loginWith({ base: 'full', maxFileBytes: 10 });
    expect(await store(ann, '/pub/a.txt', bytes, more)).toBe(expected);
  });

  test('with extensions stores and renames to no others', async () => {
    const ann = loginWith({ base: 'full', extensions: ['.TXT', '.jpg'] });
    expect(await store(ann, '/pub/photo.JPG', 1)).toBe('stored');
    expect(await store(ann, '/pub/shell.php', 1)).toBe('bad-name');
    expect(await ann.rename?.('/pub/a.txt', '/pub/a.php')).toEqual(refused('bad-name'));
    expect(await ann.rename?.('/pub/deep', '/pub/deeper')).toEqual(done);
  });
});

test('what a file system can not do is missing for its users too', () => {
  const readable: FileSystem = memoryFileSystem();
  const fileSystemWithout = {
    stat: readable.stat.bind(readable),
    list: readable.list.bind(readable),
    read: readable.read.bind(readable),
  };
  const { fileSystem } = openLogin(
    { fileSystem: fileSystemWithout, rights: 'full' },
    { user: 'ann', remote: { family: 'unix', path: '/x' }, secure: false },
    memoryFileSystem(),
  );
  const methods = [...Object.keys(readable), 'hash'];
  const offered = methods.filter((name) => fileSystem[name as keyof FileSystem] !== undefined);
  expect(offered.sort()).toEqual(['list', 'read', 'stat']);
});

test('a file system is told who asks', async () => {
  const callers: unknown[] = [];
  const inner = memoryFileSystem({ files });
  const { fileSystem } = openLogin(
    {
      user: 'Ann',
      rights: 'full',
      fileSystem: { ...inner, write: (path, options) => (callers.push(options.caller), inner.write(path, options)) },
    },
    { user: 'ann', remote: { family: 'ipv4', address: '192.0.2.9', port: 4000 }, secure: true },
    inner,
  );
  await store(fileSystem, '/new', 1);
  expect(callers).toEqual([{ user: 'Ann', remoteAddress: '192.0.2.9', secure: true }]);
});
