// What the wrappers around file systems have in common.

import { fail, type Result } from '@wellknown/core';
import type { FileProblem, FileSystem, WriteTarget } from '../file-system.ts';

export type Answer<Value> = Promise<Result<Value, FileProblem>>;

/** The methods that a file system may lack. */
export const BEYOND_READING = [
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

export const refuse = (problem: FileProblem): Promise<Result<never, FileProblem>> => Promise.resolve(fail(problem));

/** A method of `inner` as a property of its own; nothing where `inner` does not have it. */
export function passed<Name extends keyof FileSystem>(
  inner: FileSystem,
  ...names: readonly Name[]
): Partial<Pick<FileSystem, Name>> {
  const methods: Partial<Pick<FileSystem, Name>> = {};
  for (const name of names) {
    const method = inner[name];
    if (method !== undefined) methods[name] = method.bind(inner) as FileSystem[Name];
  }
  return methods;
}

/** A target that does something before or after what another one does. */
export function aroundTarget(
  target: WriteTarget,
  around: {
    readonly write?: (chunks: readonly Uint8Array[], go: () => Answer<void>) => Answer<void>;
    readonly commit?: (go: () => Answer<void>) => Answer<void>;
    readonly abort?: (go: () => Promise<void>) => Promise<void>;
  },
): WriteTarget {
  return {
    write(chunks) {
      const go = (): Answer<void> => target.write(chunks);
      return around.write === undefined ? go() : around.write(chunks, go);
    },
    commit() {
      const go = (): Answer<void> => target.commit();
      return around.commit === undefined ? go() : around.commit(go);
    },
    abort() {
      const go = (): Promise<void> => target.abort();
      return around.abort === undefined ? go() : around.abort(go);
    },
  };
}
