// A user's rights, held at one place: every command reaches files through this, so none can forget to ask.
//
// Rules are about the path that is used. A link that leads from one part of the tree to another gives what it leads to
// the rights of the path through the link.

import { fail, ok, type Result } from '@wellknown/core';
import type { Caller, Entry, FileProblem, FileSystem, WriteOptions, WriteTarget } from '../file-system.ts';
import { nameOf, type AbsolutePath } from '../path.ts';
import { isNothing, type ResolvedRights, type Rights } from './rights.ts';

type Answer<Value> = Promise<Result<Value, FileProblem>>;

const refused = (problem: FileProblem): Promise<Result<never, FileProblem>> => Promise.resolve(fail(problem));

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
    if (isHidden(path)) return refused('not-found');
    return may(rights.at(path)) ? go() : refused('denied');
  };

  /** What a rule names, or leads to, keeps its place: elsewhere other rights would hold for it. */
  const isMovable = (path: AbsolutePath): boolean => !rights.hasRuleBelow(path);

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

  const unsupported = (): Promise<Result<never, FileProblem>> => refused('unsupported');

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
    ...(inner.write !== undefined && {
      write: (path, options) =>
        where(
          path,
          (at) => at.write !== 'no',
          async () => {
            const at = rights.at(path);
            if (!hasExtension(path, at)) return fail('bad-name');
            return openForWriting(inner, path, { ...options, caller }, at);
          },
        ),
    }),
    ...(inner.removeFile !== undefined && {
      removeFile: (path) =>
        where(
          path,
          (at) => at.delete,
          () => inner.removeFile?.(path) ?? unsupported(),
        ),
    }),
    ...(inner.makeDirectory !== undefined && {
      makeDirectory: (path, options) =>
        where(
          path,
          (at) => at.makeDirectories,
          () => inner.makeDirectory?.(path, { ...options, caller }) ?? unsupported(),
        ),
    }),
    ...(inner.removeDirectory !== undefined && {
      removeDirectory: (path) =>
        where(
          path,
          (at) => at.delete && isMovable(path),
          () => inner.removeDirectory?.(path) ?? unsupported(),
        ),
    }),
    ...(inner.rename !== undefined && {
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
                return inner.rename?.(from, to) ?? unsupported();
              },
            ),
        ),
    }),
    ...(inner.setTimes !== undefined && {
      setTimes: (path, times) =>
        where(
          path,
          (at) => at.attributes,
          () => inner.setTimes?.(path, times) ?? unsupported(),
        ),
    }),
    ...(inner.setMode !== undefined && {
      setMode: (path, mode) =>
        where(
          path,
          (at) => at.attributes,
          () => inner.setMode?.(path, mode) ?? unsupported(),
        ),
    }),
    ...(inner.hash !== undefined && {
      hash: (path, request) =>
        where(
          path,
          ({ read }) => read,
          () => inner.hash?.(path, request) ?? unsupported(),
        ),
    }),
    ...(inner.space !== undefined && {
      space: (path) =>
        where(
          path,
          ({ list }) => list,
          () => inner.space?.(path) ?? unsupported(),
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

/** Opens for writing under `create` and `maxFileBytes`. */
async function openForWriting(
  inner: FileSystem,
  path: AbsolutePath,
  options: WriteOptions,
  { write, maxFileBytes }: Pick<Rights, 'write' | 'maxFileBytes'>,
): Answer<WriteTarget> {
  const isLimited = Number.isFinite(maxFileBytes);
  const old = write === 'create' || (isLimited && options.mode === 'append') ? await inner.stat(path) : undefined;
  if (write === 'create' && options.mode !== 'create') {
    if (old?.ok === true || (options.startBytes ?? 0) > 0) return fail('no-overwrite');
    // Another session may be storing the same name: the file system decides at the end.
    const target = await openForWriting(
      inner,
      path,
      { ...options, mode: 'create' },
      { write: 'replace', maxFileBytes },
    );
    return target.ok ? ok(withoutOverwrite(target.value)) : target;
  }
  let bytes = options.mode === 'append' && old?.ok === true ? old.value.sizeBytes : (options.startBytes ?? 0);
  if (bytes + (options.expectedBytes ?? 0) > maxFileBytes) return fail('over-quota');
  const opened = await (inner.write?.(path, options) ?? refused('unsupported'));
  if (!opened.ok || !isLimited) return opened;
  const target = opened.value;
  return ok({
    write(chunks) {
      for (const chunk of chunks) bytes += chunk.length;
      return bytes > maxFileBytes ? refused('over-quota') : target.write(chunks);
    },
    commit: () => target.commit(),
    abort: () => target.abort(),
  });
}

const withoutOverwrite = (target: WriteTarget): WriteTarget => ({
  write: (chunks) => target.write(chunks),
  async commit() {
    const done = await target.commit();
    return !done.ok && done.error === 'exists' ? fail('no-overwrite') : done;
  },
  abort: () => target.abort(),
});
