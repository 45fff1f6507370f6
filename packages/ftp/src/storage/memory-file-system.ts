// Files in memory, for tests and for scratch space. Bounded in bytes and in entries.

import { fail, ok, type Result } from '@wellknown/core';
import type { CompleteFileSystem, Entry, FileProblem, WriteTarget } from '../file-system.ts';
import { nameOf, parentOf, partsOf, type AbsolutePath } from '../path.ts';

interface MemoryFile {
  readonly type: 'file';
  bytes: Uint8Array;
  mtimeMs: number;
  mode: number;
}

interface MemoryDirectory {
  readonly type: 'directory';
  readonly entries: Map<string, MemoryNode>;
  mtimeMs: number;
  mode: number;
}

type MemoryNode = MemoryFile | MemoryDirectory;

export interface MemoryFileSystemOptions {
  /** Files to begin with, by absolute path; their directories are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** All files together; an upload beyond it gets 452. */
  readonly maxBytes?: number;
  /** Files and directories together. */
  readonly maxEntries?: number;
  /** The time that changes are stamped with; by default the real one. */
  readonly wallMs?: () => number;
}

const done = ok(undefined);
const realTime = (): number => Math.floor(performance.timeOrigin + performance.now());

/** A file system that lives as long as the value does. */
export function memoryFileSystem(options: MemoryFileSystemOptions = {}): CompleteFileSystem {
  // Scratch space, not a disk: what an ordinary process can spare.
  const { maxBytes = 64 * 1024 * 1024, maxEntries = 10_000, wallMs = realTime } = options;
  const newDirectory = (): MemoryDirectory => ({
    type: 'directory',
    entries: new Map(),
    mtimeMs: wallMs(),
    mode: 0o755,
  });
  const root = newDirectory();
  let usedBytes = 0;
  let usedEntries = 0;

  const find = (path: AbsolutePath): MemoryNode | undefined => {
    let node: MemoryNode | undefined = root;
    for (const part of partsOf(path)) node = node?.type === 'directory' ? node.entries.get(part) : undefined;
    return node;
  };
  const parentDirectory = (path: AbsolutePath): Result<MemoryDirectory, FileProblem> => {
    const parent = path === '/' ? undefined : find(parentOf(path));
    return parent?.type === 'directory' ? ok(parent) : fail(path === '/' ? 'denied' : 'not-found');
  };
  const entryOf = (name: string, node: MemoryNode): Entry => ({
    name,
    type: node.type,
    sizeBytes: node.type === 'file' ? node.bytes.length : 0,
    mtimeMs: node.mtimeMs,
    mode: node.mode,
  });
  const put = (parent: MemoryDirectory, name: string, node: MemoryNode): void => {
    parent.entries.set(name, node);
    parent.mtimeMs = wallMs();
    usedEntries += 1;
  };
  const remove = (path: AbsolutePath, type: MemoryNode['type']): Result<void, FileProblem> => {
    const parent = parentDirectory(path);
    if (!parent.ok) return parent;
    const node = parent.value.entries.get(nameOf(path));
    if (node === undefined) return fail('not-found');
    if (node.type !== type) return fail(type === 'file' ? 'is-directory' : 'not-directory');
    if (node.type === 'directory' && node.entries.size > 0) return fail('not-empty');
    parent.value.entries.delete(nameOf(path));
    parent.value.mtimeMs = wallMs();
    usedEntries -= 1;
    if (node.type === 'file') usedBytes -= node.bytes.length;
    return done;
  };

  const makeDirectory = (path: AbsolutePath): Result<void, FileProblem> => {
    if (find(path) !== undefined) return fail('exists');
    const parent = parentDirectory(path);
    if (!parent.ok) return parent;
    if (usedEntries >= maxEntries) return fail('no-space');
    put(parent.value, nameOf(path), newDirectory());
    return done;
  };

  /** Collects the upload beside the tree; only `commit` shows it. */
  const uploadTo = (parent: MemoryDirectory, name: string, kept: Uint8Array, mustBeNew: boolean): WriteTarget => {
    const chunks: Uint8Array[] = [];
    let newBytes = 0;
    const giveBack = (): void => {
      usedBytes -= newBytes;
      newBytes = 0;
    };
    return {
      write(more) {
        const length = more.reduce((sum, chunk) => sum + chunk.length, 0);
        // Counted while writing: an upload that is checked afterwards has already filled the memory.
        if (usedBytes + length > maxBytes) return Promise.resolve(fail('no-space'));
        usedBytes += length;
        newBytes += length;
        chunks.push(...more);
        return Promise.resolve(done);
      },
      commit() {
        const old = parent.entries.get(name);
        if (old?.type === 'directory' || (old === undefined ? usedEntries >= maxEntries : mustBeNew)) {
          giveBack();
          return Promise.resolve(fail(old === undefined ? 'no-space' : mustBeNew ? 'exists' : 'is-directory'));
        }
        const bytes = new Uint8Array(kept.length + newBytes);
        bytes.set(kept);
        let offset = kept.length;
        for (const chunk of chunks) {
          bytes.set(chunk, offset);
          offset += chunk.length;
        }
        usedBytes += kept.length - (old?.bytes.length ?? 0);
        if (old === undefined) put(parent, name, { type: 'file', bytes, mtimeMs: wallMs(), mode: 0o644 });
        else Object.assign(old, { bytes, mtimeMs: wallMs() });
        return Promise.resolve(done);
      },
      abort() {
        giveBack();
        return Promise.resolve();
      },
    };
  };

  for (const [path, content] of Object.entries(options.files ?? {})) {
    let directory: AbsolutePath = '';
    for (const part of partsOf(parentOf(path))) {
      directory += `/${part}`;
      makeDirectory(directory);
    }
    const parent = parentDirectory(path);
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    usedBytes += bytes.length;
    if (parent.ok) put(parent.value, nameOf(path), { type: 'file', bytes, mtimeMs: wallMs(), mode: 0o644 });
  }

  const changeNode = (path: AbsolutePath, change: (node: MemoryNode) => void): Promise<Result<void, FileProblem>> => {
    const node = find(path);
    if (node === undefined) return Promise.resolve(fail('not-found'));
    change(node);
    return Promise.resolve(done);
  };

  return {
    stat(path) {
      const node = find(path);
      return Promise.resolve(node === undefined ? fail('not-found') : ok(entryOf(nameOf(path), node)));
    },
    list(path) {
      const node = find(path);
      if (node?.type !== 'directory') return Promise.resolve(fail(node === undefined ? 'not-found' : 'not-directory'));
      return Promise.resolve(ok(each([...node.entries].map(([name, child]) => entryOf(name, child)))));
    },
    read(path, { startBytes }) {
      const node = find(path);
      if (node?.type !== 'file') return Promise.resolve(fail(node === undefined ? 'not-found' : 'is-directory'));
      const { bytes } = node;
      if (startBytes > bytes.length) return Promise.resolve(fail('bad-start'));
      let position = startBytes;
      return Promise.resolve(
        ok({
          sizeBytes: bytes.length,
          read(into) {
            const piece = bytes.subarray(position, position + into.length);
            into.set(piece);
            position += piece.length;
            return Promise.resolve(ok(piece.length));
          },
          close: () => Promise.resolve(),
        }),
      );
    },
    write(path, { mode, startBytes = 0 }) {
      const parent = parentDirectory(path);
      if (!parent.ok) return Promise.resolve(parent);
      const old = parent.value.entries.get(nameOf(path));
      if (old?.type === 'directory') return Promise.resolve(fail('is-directory'));
      if (old !== undefined && mode === 'create') return Promise.resolve(fail('exists'));
      const oldBytes = old?.bytes ?? new Uint8Array(0);
      if (startBytes > oldBytes.length) return Promise.resolve(fail('bad-start'));
      return Promise.resolve(
        ok(
          uploadTo(
            parent.value,
            nameOf(path),
            mode === 'append' ? oldBytes : oldBytes.subarray(0, startBytes),
            mode === 'create',
          ),
        ),
      );
    },
    removeFile: (path) => Promise.resolve(remove(path, 'file')),
    makeDirectory: (path) => Promise.resolve(makeDirectory(path)),
    removeDirectory: (path) => Promise.resolve(remove(path, 'directory')),
    rename(from, to) {
      const source = parentDirectory(from);
      const target = parentDirectory(to);
      if (!source.ok || !target.ok) return Promise.resolve(fail('not-found'));
      const node = source.value.entries.get(nameOf(from));
      if (node === undefined) return Promise.resolve(fail('not-found'));
      if (from === to) return Promise.resolve(done);
      if (to.startsWith(`${from}/`)) return Promise.resolve(fail('bad-name'));
      const old = target.value.entries.get(nameOf(to));
      if (old !== undefined && (old.type === 'directory' || node.type === 'directory'))
        return Promise.resolve(fail('exists'));
      if (old !== undefined) remove(to, 'file');
      source.value.entries.delete(nameOf(from));
      target.value.entries.set(nameOf(to), node);
      return Promise.resolve(done);
    },
    setTimes: (path, { mtimeMs }) => changeNode(path, (node) => (node.mtimeMs = mtimeMs ?? node.mtimeMs)),
    setMode: (path, mode) => changeNode(path, (node) => (node.mode = mode)),
    space: () => Promise.resolve(ok({ freeBytes: maxBytes - usedBytes, totalBytes: maxBytes })),
  };
}

async function* each(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  yield await Promise.resolve(entries);
}
