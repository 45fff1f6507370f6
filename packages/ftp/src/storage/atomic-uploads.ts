// Uploads that appear only when they are whole, for a file system that writes in place.

import { fail, ok } from '@wellknown/core';
import type { Entry, FileSystem } from '../file-system.ts';
import { nameOf, parentOf, type AbsolutePath } from '../path.ts';
import { aroundTarget, passed, refuse } from './wrap.ts';

const HIDDEN = /^\.wellknown-upload-[0-9a-f]{16}$/;
const isHidden = (path: AbsolutePath): boolean => HIDDEN.test(nameOf(path));

export interface AtomicUploadsOptions {
  /** 16 hexadecimal digits that were not there before; by default random. */
  readonly suffix?: () => string;
}

const randomSuffix = (): string =>
  [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * `inner`, whose uploads get a hidden name in the same directory until they are whole. It has to be able to write, rename and
 * remove. What is continued (APPE, REST) is written in place. What a killed server leaves is hidden, but it stays.
 */
export function atomicUploads(inner: FileSystem, { suffix = randomSuffix }: AtomicUploadsOptions = {}): FileSystem {
  const { write, rename, removeFile } = passed(inner, 'write', 'rename', 'removeFile');

  return {
    ...passed(inner, 'setTimes', 'setMode', 'hash', 'space', 'makeDirectory', 'removeDirectory', 'removeFile'),
    stat: (path, options) => (isHidden(path) ? refuse('not-found') : inner.stat(path, options)),
    read: (path, options) => (isHidden(path) ? refuse('not-found') : inner.read(path, options)),
    async list(path, options) {
      const listed = await inner.list(path, options);
      return listed.ok ? ok(withoutHidden(listed.value)) : listed;
    },
    ...(rename !== undefined && {
      rename: (from, to) => (isHidden(from) || isHidden(to) ? refuse('bad-name') : rename(from, to)),
    }),
    ...(write !== undefined && {
      async write(path, options) {
        if (isHidden(path)) return fail('bad-name');
        const isContinued = options.mode === 'append' || (options.startBytes ?? 0) > 0;
        if (isContinued || rename === undefined || removeFile === undefined) return write(path, options);
        const old = await inner.stat(path, { followLinks: false });
        // A rename would take its place.
        if (old.ok && old.value.type === 'link') return write(path, options);
        if (old.ok && old.value.type === 'directory') return fail('is-directory');
        if (old.ok && options.mode === 'create') return fail('exists');
        const directory = parentOf(path);
        const hidden = `${directory === '/' ? '' : directory}/.wellknown-upload-${suffix()}`;
        const opened = await write(hidden, { ...options, mode: 'create' });
        if (!opened.ok) return opened;
        return ok(
          aroundTarget(opened.value, {
            async commit(go) {
              const done = await go();
              if (!done.ok) return done;
              const isTaken = options.mode === 'create' && (await inner.stat(path, { followLinks: false })).ok;
              const renamed = isTaken ? fail('exists' as const) : await rename(hidden, path);
              if (!renamed.ok) await removeFile(hidden);
              return renamed;
            },
            async abort(go) {
              await go();
              await removeFile(hidden).catch(() => undefined);
            },
          }),
        );
      },
    }),
  };
}

async function* withoutHidden(portions: AsyncIterable<readonly Entry[]>): AsyncGenerator<readonly Entry[]> {
  for await (const portion of portions) yield portion.filter(({ name }) => !HIDDEN.test(name));
}
