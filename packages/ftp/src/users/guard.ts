// A user's rights, held at one place: every command reaches files through this, so none can forget to ask.
//
// Rules are about the path that is used. A link that leads from one part of the tree to another gives what it leads to
// the rights of the path through the link.

import { fail, ok, type Result } from '@wellknown/core';
import type {
  Caller,
  CreateOptions,
  Entry,
  FileProblem,
  FileSystem,
  FileTimes,
  HashRequest,
  ListOptions,
  ReadOptions,
  ReadSource,
  Space,
  StatOptions,
  WriteOptions,
  WriteTarget,
} from '../file-system.ts';
import { nameOf, type AbsolutePath } from '../path.ts';
import { aroundTarget, BEYOND_READING, refuse, type Answer } from '../storage/wrap.ts';
import { isNothing, type ResolvedRights, type Rights } from './rights.ts';

type May = (rights: Rights) => boolean;

const mayList: May = ({ list }) => list;
const mayRead: May = ({ read }) => read;
const mayWrite: May = ({ write }) => write !== 'no';
const mayDelete: May = (rights) => rights.delete;
const mayRename: May = ({ rename }) => rename;
const mayMakeDirectories: May = ({ makeDirectories }) => makeDirectories;
const mayChangeAttributes: May = ({ attributes }) => attributes;

type Method = (typeof BEYOND_READING)[number];

/** What each file system lacks, so that it is not asked for at each login. */
const lacking = new WeakMap<FileSystem, readonly Method[]>();

function missingIn(inner: FileSystem): readonly Method[] {
  const known = lacking.get(inner) ?? BEYOND_READING.filter((name) => inner[name] === undefined);
  lacking.set(inner, known);
  return known;
}

/** `inner` as one user may use it. Methods that it does not have are missing here too. */
export function guardedFileSystem(inner: FileSystem, rights: ResolvedRights, caller: Caller): FileSystem {
  const guarded = new GuardedFileSystem(inner, rights, caller);
  const methods: Partial<Record<Method, unknown>> = guarded;
  for (const name of missingIn(inner)) methods[name] = undefined;
  return guarded;
}

/** One object for a login, of which there may be thousands: no method is made anew for each. */
class GuardedFileSystem implements Required<FileSystem> {
  readonly #inner: FileSystem;
  readonly #rights: ResolvedRights;
  readonly #caller: Caller;

  constructor(inner: FileSystem, rights: ResolvedRights, caller: Caller) {
    this.#inner = inner;
    this.#rights = rights;
    this.#caller = caller;
  }

  async stat(path: AbsolutePath, options?: StatOptions): Answer<Entry> {
    if (this.#isHidden(path)) return fail('not-found');
    const at = this.#rights.at(path);
    const found = await this.#inner.stat(path, options);
    if (at.list || at.read || at.delete || at.rename) return found;
    // A directory may be entered. Of anything else not even its absence is told.
    return found.ok && found.value.type === 'directory' ? found : fail('denied');
  }

  async list(path: AbsolutePath, options?: ListOptions): Answer<AsyncIterable<readonly Entry[]>> {
    const refused = this.#refusal(path, mayList);
    if (refused !== undefined) return refused;
    const entries = await this.#inner.list(path, options);
    if (!entries.ok || !this.#rights.hasRuleBelow(path)) return entries;
    const below = path === '/' ? '/' : `${path}/`;
    return ok(withoutHidden(entries.value, (name) => this.#isHidden(below + name)));
  }

  read(path: AbsolutePath, options: ReadOptions): Answer<ReadSource> {
    return this.#refusal(path, mayRead) ?? this.#inner.read(path, { ...options, caller: this.#caller });
  }

  write(path: AbsolutePath, options: WriteOptions): Answer<WriteTarget> {
    const refused = this.#refusal(path, mayWrite);
    if (refused !== undefined) return refused;
    const at = this.#rights.at(path);
    if (!hasExtension(path, at)) return refuse('bad-name');
    return openForWriting(this.#inner, path, { ...options, caller: this.#caller }, at);
  }

  removeFile(path: AbsolutePath): Answer<void> {
    return this.#refusal(path, mayDelete) ?? has(this.#inner.removeFile?.(path));
  }

  makeDirectory(path: AbsolutePath, options?: CreateOptions): Answer<void> {
    return (
      this.#refusal(path, mayMakeDirectories) ??
      has(this.#inner.makeDirectory?.(path, { ...options, caller: this.#caller }))
    );
  }

  removeDirectory(path: AbsolutePath): Answer<void> {
    return this.#refusal(path, mayDelete) ?? this.#ifMovable(path) ?? has(this.#inner.removeDirectory?.(path));
  }

  async rename(from: AbsolutePath, to: AbsolutePath): Answer<void> {
    const refused =
      this.#refusal(from, mayRename) ??
      this.#ifMovable(from) ??
      this.#refusal(to, (at) => mayRename(at) && mayWrite(at)) ??
      this.#ifMovable(to);
    if (refused !== undefined) return refused;
    const at = this.#rights.at(to);
    const source = await this.#inner.stat(from, { followLinks: false });
    if (!source.ok) return source;
    if (source.value.type !== 'directory' && !hasExtension(to, at)) return fail('bad-name');
    if (at.write === 'create' && (await this.#inner.stat(to, { followLinks: false })).ok) return fail('no-overwrite');
    return has(this.#inner.rename?.(from, to));
  }

  setTimes(path: AbsolutePath, times: FileTimes): Answer<void> {
    return this.#refusal(path, mayChangeAttributes) ?? has(this.#inner.setTimes?.(path, times));
  }

  setMode(path: AbsolutePath, mode: number): Answer<void> {
    return this.#refusal(path, mayChangeAttributes) ?? has(this.#inner.setMode?.(path, mode));
  }

  hash(path: AbsolutePath, request: HashRequest): Answer<string> {
    return this.#refusal(path, mayRead) ?? has(this.#inner.hash?.(path, request));
  }

  space(path: AbsolutePath): Answer<Space> {
    return this.#refusal(path, mayList) ?? has(this.#inner.space?.(path));
  }

  #isHidden(path: AbsolutePath): boolean {
    return path !== '/' && isNothing(this.#rights.at(path)) && !this.#rights.hasRuleBelow(path);
  }

  /** Undefined where the rights at `path` allow it. What is hidden is not there. */
  #refusal(path: AbsolutePath, may: May): Promise<Result<never, FileProblem>> | undefined {
    if (this.#isHidden(path)) return refuse('not-found');
    return may(this.#rights.at(path)) ? undefined : refuse('denied');
  }

  #ifMovable(path: AbsolutePath): Promise<Result<never, FileProblem>> | undefined {
    return this.#rights.isFixed(path) ? refuse('denied') : undefined;
  }
}

/** A method of the inner file system that must be there: what it lacks is missing here (`guardedFileSystem`). */
const has = <Value>(answer: Answer<Value> | undefined): Answer<Value> => answer ?? refuse('unsupported');

function hasExtension(path: AbsolutePath, { extensions }: Rights): boolean {
  const name = nameOf(path).toLowerCase();
  return extensions === undefined || extensions.some((extension) => name.endsWith(extension.toLowerCase()));
}

async function* withoutHidden(
  portions: AsyncIterable<readonly Entry[]>,
  isHidden: (name: string) => boolean,
): AsyncGenerator<readonly Entry[]> {
  for await (const portion of portions) yield portion.filter(({ name }) => !isHidden(name));
}

/** Opens for writing under `create` and `maxFileBytes`. */
async function openForWriting(
  files: FileSystem,
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
  const opened = await has(files.write?.(path, options));
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
