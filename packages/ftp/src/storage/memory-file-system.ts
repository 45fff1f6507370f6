// Files in memory, for tests and for scratch space. Bounded in bytes and in entries.

import { fail, ok, type Result } from '@wellknown/core';
import type { CompleteFileSystem, Entry, FileProblem, WriteOptions, WriteTarget } from '../file-system.ts';
import { nameOf, parentOf, partsOf, type AbsolutePath } from '../path.ts';
import { findPlace, type MemoryDirectory, type MemoryNode, type MemoryPlace } from './memory-tree.ts';

export interface MemoryFileSystemOptions {
  /** Files to begin with, by absolute path; their directories are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Symbolic links to begin with, by absolute path: where each leads, relative to its directory or from `/`. */
  readonly links?: Readonly<Record<string, string>>;
  /** All files together; an upload beyond it gets 452. */
  readonly maxBytes?: number;
  /** Files, directories and links together. */
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

  /** What a path leads to, a link at its last name followed. */
  const find = (path: AbsolutePath): MemoryNode | undefined => findPlace(root, path, true)?.node;
  /** The name itself, and the directory that it is in, which must be there: never the root. */
  const placeOf = (path: AbsolutePath): Result<MemoryPlace & { readonly parent: MemoryDirectory }, FileProblem> => {
    const place = findPlace(root, path, false);
    const parent = place?.directories.at(-1);
    if (place === undefined) return fail('not-found');
    return parent === undefined ? fail('denied') : ok({ ...place, parent });
  };
  const entryOf = (name: string, node: MemoryNode): Entry => ({
    name,
    type: node.type,
    sizeBytes: node.type === 'file' ? node.bytes.length : 0,
    mtimeMs: node.mtimeMs,
    mode: node.mode,
    ...(node.type === 'link' && { target: node.target }),
  });
  const put = (parent: MemoryDirectory, name: string, node: MemoryNode): void => {
    parent.entries.set(name, node);
    parent.mtimeMs = wallMs();
    usedEntries += 1;
  };
  /** Removes the name itself: of a link, never what it leads to. */
  const remove = (path: AbsolutePath, what: 'file' | 'directory'): Result<void, FileProblem> => {
    const place = placeOf(path);
    if (!place.ok) return place;
    const { parent, name, node } = place.value;
    if (node === undefined) return fail('not-found');
    if ((node.type === 'directory') !== (what === 'directory'))
      return fail(what === 'file' ? 'is-directory' : 'not-directory');
    if (node.type === 'directory' && node.entries.size > 0) return fail('not-empty');
    parent.entries.delete(name);
    parent.mtimeMs = wallMs();
    usedEntries -= 1;
    if (node.type === 'file') usedBytes -= node.bytes.length;
    if (node.type === 'directory') node.isGone = true;
    return done;
  };

  const makeDirectory = (path: AbsolutePath): Result<void, FileProblem> => {
    if (path === '/') return fail('exists');
    const place = placeOf(path);
    if (!place.ok) return place;
    if (place.value.node !== undefined) return fail('exists');
    if (usedEntries >= maxEntries) return fail('no-space');
    put(place.value.parent, place.value.name, newDirectory());
    return done;
  };

  /** Collects the upload beside the tree; only `commit` shows it. */
  const uploadTo = (
    parent: MemoryDirectory,
    name: string,
    begun: Uint8Array,
    mode: WriteOptions['mode'],
  ): WriteTarget => {
    const mustBeNew = mode === 'create';
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
        if (parent.isGone === true) {
          giveBack();
          return Promise.resolve(fail('not-found'));
        }
        const old = parent.entries.get(name);
        if (old === undefined ? usedEntries >= maxEntries : mustBeNew || old.type !== 'file') {
          giveBack();
          return Promise.resolve(fail(old === undefined ? 'no-space' : mustBeNew ? 'exists' : notAFile(old)));
        }
        // Another upload may have added to the file meanwhile.
        const kept = mode === 'append' && old?.type === 'file' ? old.bytes : begun;
        const bytes = new Uint8Array(kept.length + newBytes);
        bytes.set(kept);
        let offset = kept.length;
        for (const chunk of chunks) {
          bytes.set(chunk, offset);
          offset += chunk.length;
        }
        usedBytes += kept.length - (old?.type === 'file' ? old.bytes.length : 0);
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

  const begin = (path: AbsolutePath, node: MemoryNode): void => {
    let directory: AbsolutePath = '';
    for (const part of partsOf(parentOf(path))) {
      directory += `/${part}`;
      makeDirectory(directory);
    }
    const place = placeOf(path);
    if (place.ok) put(place.value.parent, place.value.name, node);
  };
  for (const [path, content] of Object.entries(options.files ?? {})) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    usedBytes += bytes.length;
    begin(path, { type: 'file', bytes, mtimeMs: wallMs(), mode: 0o644 });
  }
  for (const [path, target] of Object.entries(options.links ?? {}))
    begin(path, { type: 'link', target, mtimeMs: wallMs(), mode: 0o777 });

  const changeNode = (path: AbsolutePath, change: (node: MemoryNode) => void): Promise<Result<void, FileProblem>> => {
    const node = findPlace(root, path, false)?.node;
    if (node === undefined) return Promise.resolve(fail('not-found'));
    if (node.type === 'link') return Promise.resolve(fail('denied'));
    change(node);
    return Promise.resolve(done);
  };

  return {
    stat(path, { followLinks = true } = {}) {
      const node = findPlace(root, path, followLinks)?.node;
      return Promise.resolve(node === undefined ? fail('not-found') : ok(entryOf(nameOf(path), node)));
    },
    list(path, { followLinks = false } = {}) {
      const node = find(path);
      if (node?.type !== 'directory') return Promise.resolve(fail(node === undefined ? 'not-found' : 'not-directory'));
      const shown = (name: string, child: MemoryNode): MemoryNode =>
        // What leads nowhere is told as the link that it is.
        child.type === 'link' && followLinks ? (find(`${path === '/' ? '' : path}/${name}`) ?? child) : child;
      return Promise.resolve(ok(each([...node.entries].map(([name, child]) => entryOf(name, shown(name, child))))));
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
      const place = placeOf(path);
      if (!place.ok) return Promise.resolve(fail(path === '/' ? 'is-directory' : place.error));
      const { parent, name, node: old } = place.value;
      if (old !== undefined && old.type !== 'file') return Promise.resolve(fail(notAFile(old)));
      if (old !== undefined && mode === 'create') return Promise.resolve(fail('exists'));
      const oldBytes = old?.bytes ?? new Uint8Array(0);
      if (startBytes > oldBytes.length) return Promise.resolve(fail('bad-start'));
      const kept = mode === 'append' ? oldBytes : oldBytes.subarray(0, startBytes);
      return Promise.resolve(ok(uploadTo(parent, name, kept, mode)));
    },
    removeFile: (path) => Promise.resolve(remove(path, 'file')),
    makeDirectory: (path) => Promise.resolve(makeDirectory(path)),
    removeDirectory: (path) => Promise.resolve(remove(path, 'directory')),
    rename(from, to) {
      const source = placeOf(from);
      const target = placeOf(to);
      if (!source.ok || !target.ok) return Promise.resolve(fail('not-found'));
      const { parent, name, node } = source.value;
      const { directories, parent: newParent, name: newName, node: old } = target.value;
      if (node === undefined) return Promise.resolve(fail('not-found'));
      if (parent === newParent && name === newName) return Promise.resolve(done);
      // Below itself, whatever links led there.
      if (node.type === 'directory' && directories.includes(node)) return Promise.resolve(fail('bad-name'));
      if (old !== undefined && (old.type === 'directory' || node.type === 'directory'))
        return Promise.resolve(fail('exists'));
      if (old !== undefined) remove(to, 'file');
      parent.entries.delete(name);
      newParent.entries.set(newName, node);
      return Promise.resolve(done);
    },
    setTimes: (path, { mtimeMs }) => changeNode(path, (node) => (node.mtimeMs = mtimeMs ?? node.mtimeMs)),
    setMode: (path, mode) => changeNode(path, (node) => (node.mode = mode)),
    space: () => Promise.resolve(ok({ freeBytes: maxBytes - usedBytes, totalBytes: maxBytes })),
  };
}

/** Why something that is there can not be written. A link is never written through: what it leads to has a name of its own. */
const notAFile = ({ type }: MemoryNode): FileProblem => (type === 'directory' ? 'is-directory' : 'denied');

async function* each(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  yield await Promise.resolve(entries);
}
