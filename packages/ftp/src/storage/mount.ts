// Several file systems as one tree.

import { fail, ok, WellknownError, type Result } from '@wellknown/core';
import type { Entry, FileProblem, FileSystem } from '../file-system.ts';
import { nameOf, partsOf, resolvePath, type AbsolutePath } from '../path.ts';
import { moveBetween } from './move-between.ts';
import { refuse, type Answer } from './wrap.ts';

interface Mounted {
  readonly at: AbsolutePath;
  readonly fileSystem: FileSystem;
}

/**
 * The file systems at their paths: `mount({ '/': disk, '/archive': readOnly(old) })`. A path belongs to the longest mount
 * point that it is at or below; the way to a mount point is there even where nothing is mounted. What is mounted is
 * neither renamed nor removed. A rename from one to another copies. Throws OPTION_INVALID for a path that is none.
 */
export function mount(at: Readonly<Record<`/${string}`, FileSystem>>): FileSystem {
  const mounts = Object.entries(at).map(([text, fileSystem]): Mounted => {
    const path = resolvePath('/', text);
    if (!path.ok || !text.startsWith('/'))
      throw new WellknownError('OPTION_INVALID', `'${text}' is no absolute path to mount at`, { fault: 'local' });
    return { at: path.value, fileSystem };
  });
  mounts.sort((one, other) => other.at.length - one.at.length);

  const holder = (path: AbsolutePath): Mounted | undefined =>
    mounts.find((mounted) => mounted.at === '/' || mounted.at === path || path.startsWith(`${mounted.at}/`));
  const inside = (path: AbsolutePath, { at: point }: Mounted): AbsolutePath =>
    point === '/' ? path : path.slice(point.length) || '/';
  /** A mount point, or on the way to one. */
  const isFixed = (path: AbsolutePath): boolean =>
    mounts.some((mounted) => mounted.at === path || mounted.at.startsWith(path === '/' ? '/' : `${path}/`));
  /** The names that mount points add to a directory. */
  const namesBelow = (path: AbsolutePath): Set<string> => {
    const depth = partsOf(path).length;
    const below = path === '/' ? '/' : `${path}/`;
    return new Set(
      mounts
        .filter((mounted) => mounted.at !== '/' && mounted.at.startsWith(below))
        .map((mounted) => partsOf(mounted.at)[depth] ?? ''),
    );
  };
  const way = (name: string): Entry => ({ name, type: 'directory', sizeBytes: 0, mtimeMs: 0 });

  /** Asks the file system that `path` belongs to. */
  const ask = <Value>(
    path: AbsolutePath,
    go: (fileSystem: FileSystem, path: AbsolutePath) => Answer<Value> | undefined,
  ): Answer<Value> => {
    const mounted = holder(path);
    if (mounted === undefined) return refuse(isFixed(path) ? 'denied' : 'not-found');
    return go(mounted.fileSystem, inside(path, mounted)) ?? refuse('unsupported');
  };
  /** The same for what changes the entry itself. */
  const change = <Value>(
    path: AbsolutePath,
    go: (fileSystem: FileSystem, path: AbsolutePath) => Answer<Value> | undefined,
  ): Answer<Value> => (isFixed(path) ? refuse('denied') : ask(path, go));

  return {
    async stat(path, options) {
      const mounted = holder(path);
      const found =
        mounted === undefined
          ? fail('not-found' as const)
          : await mounted.fileSystem.stat(inside(path, mounted), options);
      if (!found.ok) return isFixed(path) ? ok(way(nameOf(path))) : found;
      return ok({ ...found.value, name: nameOf(path) });
    },
    async list(path, options) {
      const added = namesBelow(path);
      const mounted = holder(path);
      const listed: Result<AsyncIterable<readonly Entry[]>, FileProblem> = mounted === undefined
        ? fail('not-found')
        : await mounted.fileSystem.list(inside(path, mounted), options);
      if (!listed.ok && added.size === 0) return listed;
      return ok(withAdded(listed.ok ? listed.value : undefined, [...added].map(way)));
    },
    read: (path, options) => ask(path, (fileSystem, at) => fileSystem.read(at, options)),
    hash: (path, request) => ask(path, (fileSystem, at) => fileSystem.hash?.(at, request)),
    space: (path) => ask(path, (fileSystem, at) => fileSystem.space?.(at)),
    setTimes: (path, times) => ask(path, (fileSystem, at) => fileSystem.setTimes?.(at, times)),
    setMode: (path, mode) => ask(path, (fileSystem, at) => fileSystem.setMode?.(at, mode)),
    write: (path, options) =>
      isFixed(path) ? refuse('is-directory') : ask(path, (fileSystem, at) => fileSystem.write?.(at, options)),
    makeDirectory: (path, options) =>
      isFixed(path) ? refuse('exists') : ask(path, (fileSystem, at) => fileSystem.makeDirectory?.(at, options)),
    removeFile: (path) => change(path, (fileSystem, at) => fileSystem.removeFile?.(at)),
    removeDirectory: (path) => change(path, (fileSystem, at) => fileSystem.removeDirectory?.(at)),
    rename(from, to) {
      if (isFixed(from)) return refuse('denied');
      if (isFixed(to)) return refuse('exists');
      const source = holder(from);
      const target = holder(to);
      if (source === undefined || target === undefined) return refuse('not-found');
      if (source === target)
        return source.fileSystem.rename?.(inside(from, source), inside(to, source)) ?? refuse('unsupported');
      return moveBetween(
        { fileSystem: source.fileSystem, path: inside(from, source) },
        { fileSystem: target.fileSystem, path: inside(to, target) },
      );
    },
  };
}

/** What is mounted covers what is below it. */
async function* withAdded(
  portions: AsyncIterable<readonly Entry[]> | undefined,
  added: readonly Entry[],
): AsyncGenerator<readonly Entry[]> {
  const names = new Set(added.map(({ name }) => name));
  if (portions !== undefined)
    for await (const portion of portions)
      yield names.size === 0 ? portion : portion.filter(({ name }) => !names.has(name));
  if (added.length > 0) yield added;
}
