// A user's rights, held at one place: every command reaches files through this, so none can forget to ask.
//
// Rules are about the path that is used. A link that leads from one part of the tree to another gives what it leads to
// the rights of the path through the link.

import { fail, ok } from '@wellknown/core';
import type { Caller, Entry, FileSystem, WriteOptions, WriteTarget } from '../file-system.ts';
import { nameOf, type AbsolutePath } from '../path.ts';
import { aroundTarget, passed, refuse, type Answer } from '../storage/wrap.ts';
import { isNothing, type ResolvedRights, type Rights } from './rights.ts';

/** The methods that may be missing. */
const BEYOND_READING = [
  'write',
  'removeFile',
  'makeDirectory',
  'removeDirectory',
  'rename',
  'setTimes',
  'setMode',
  'hash',
  'space',
] as const;

/** `inner` as one user may use it. Methods that it does not have are missing here too. */
export function guardedFileSystem(inner: FileSystem, rights: ResolvedRights, caller: Caller): FileSystem {
  const isHidden = (path: AbsolutePath): boolean =>
    path !== '/' && isNothing(rights.at(path)) && !rights.hasRuleBelow(path);

  /** Runs `go` if the rights at `path` allow it. What is hidden is not there. */
  const where = <Value>(
    path: AbsolutePath,
    may: (rights: Rights) => boolean,
    go: () => Answer<Value>,
  ): Answer<Value> => {
    if (isHidden(path)) return refuse('not-found');
    return may(rights.at(path)) ? go() : refuse('denied');
  };

  const isMovable = (path: AbsolutePath): boolean => !rights.isFixed(path);

  const stat: FileSystem['stat'] = async (path, options) => {
    if (isHidden(path)) return fail('not-found');
    const { list, read, delete: mayDelete, rename } = rights.at(path);
    const found = await inner.stat(path, options);
    if (list || read || mayDelete || rename) return found;
    // A directory may be entered. Of anything else not even its absence is told.
    return found.ok && found.value.type === 'directory' ? found : fail('denied');
  };

  const hasExtension = (path: AbsolutePath, { extensions }: Rights): boolean => {
    const name = nameOf(path).toLowerCase();
    return extensions === undefined || extensions.some((extension) => name.endsWith(extension.toLowerCase()));
  };

  const { write, removeFile, makeDirectory, removeDirectory, rename, setTimes, setMode, hash, space } = passed(
    inner,
    ...BEYOND_READING,
  );
  return {
    stat,
    list: (path, options) =>
      where(
        path,
        ({ list }) => list,
        async () => {
          const entries = await inner.list(path, options);
          if (!entries.ok || !rights.hasRuleBelow(path)) return entries;
          const below = path === '/' ? '/' : `${path}/`;
          return ok(withoutHidden(entries.value, (name) => isHidden(below + name)));
        },
      ),
    read: (path, options) =>
      where(
        path,
        ({ read }) => read,
        () => inner.read(path, { ...options, caller }),
      ),
    ...(write !== undefined && {
      write: (path, options) =>
        where(
          path,
          (at) => at.write !== 'no',
          async () => {
            const at = rights.at(path);
            if (!hasExtension(path, at)) return fail('bad-name');
            return openForWriting({ stat: (of) => inner.stat(of), write }, path, { ...options, caller }, at);
          },
        ),
    }),
    ...(removeFile !== undefined && {
      removeFile: (path) =>
        where(
          path,
          (at) => at.delete,
          () => removeFile(path),
        ),
    }),
    ...(makeDirectory !== undefined && {
      makeDirectory: (path, options) =>
        where(
          path,
          (at) => at.makeDirectories,
          () => makeDirectory(path, { ...options, caller }),
        ),
    }),
    ...(removeDirectory !== undefined && {
      removeDirectory: (path) =>
        where(
          path,
          (at) => at.delete && isMovable(path),
          () => removeDirectory(path),
        ),
    }),
    ...(rename !== undefined && {
      rename: (from, to) =>
        where(
          from,
          (at) => at.rename && isMovable(from),
          () =>
            where(
              to,
              (at) => at.rename && at.write !== 'no' && isMovable(to),
              async () => {
                const at = rights.at(to);
                const source = await inner.stat(from, { followLinks: false });
                if (!source.ok) return source;
                if (source.value.type !== 'directory' && !hasExtension(to, at)) return fail('bad-name');
                if (at.write === 'create' && (await inner.stat(to, { followLinks: false })).ok)
                  return fail('no-overwrite');
                return rename(from, to);
              },
            ),
        ),
    }),
    ...(setTimes !== undefined && {
      setTimes: (path, times) =>
        where(
          path,
          (at) => at.attributes,
          () => setTimes(path, times),
        ),
    }),
    ...(setMode !== undefined && {
      setMode: (path, mode) =>
        where(
          path,
          (at) => at.attributes,
          () => setMode(path, mode),
        ),
    }),
    ...(hash !== undefined && {
      hash: (path, request) =>
        where(
          path,
          ({ read }) => read,
          () => hash(path, request),
        ),
    }),
    ...(space !== undefined && {
      space: (path) =>
        where(
          path,
          ({ list }) => list,
          () => space(path),
        ),
    }),
  };
}

async function* withoutHidden(
  portions: AsyncIterable<readonly Entry[]>,
  isHidden: (name: string) => boolean,
): AsyncGenerator<readonly Entry[]> {
  for await (const portion of portions) yield portion.filter(({ name }) => !isHidden(name));
}

type Files = Pick<FileSystem, 'stat'> & Required<Pick<FileSystem, 'write'>>;

/** Opens for writing under `create` and `maxFileBytes`. */
async function openForWriting(
  files: Files,
  path: AbsolutePath,
  options: WriteOptions,
  { write, maxFileBytes }: Pick<Rights, 'write' | 'maxFileBytes'>,
): Answer<WriteTarget> {
  const isLimited = Number.isFinite(maxFileBytes);
  const old = write === 'create' || (isLimited && options.mode === 'append') ? await files.stat(path) : undefined;
  if (write === 'create' && options.mode !== 'create') {
    if (old?.ok === true || (options.startBytes ?? 0) > 0) return fail('no-overwrite');
    // Another session may be storing the same name: the file system decides at the end.
    const made: WriteOptions = { ...options, mode: 'create' };
    const target = await openForWriting(files, path, made, { write: 'replace', maxFileBytes });
    return target.ok ? ok(withoutOverwrite(target.value)) : target;
  }
  let bytes = options.mode === 'append' && old?.ok === true ? old.value.sizeBytes : (options.startBytes ?? 0);
  if (bytes + (options.expectedBytes ?? 0) > maxFileBytes) return fail('over-quota');
  const opened = await files.write(path, options);
  if (!opened.ok || !isLimited) return opened;
  return ok(
    aroundTarget(opened.value, {
      write(chunks, go) {
        for (const chunk of chunks) bytes += chunk.length;
        return bytes > maxFileBytes ? refuse('over-quota') : go();
      },
    }),
  );
}

const withoutOverwrite = (target: WriteTarget): WriteTarget =>
  aroundTarget(target, {
    async commit(go) {
      const done = await go();
      return !done.ok && done.error === 'exists' ? fail('no-overwrite') : done;
    },
  });
