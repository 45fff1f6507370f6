// A deadline for every answer of a file system: a disk of the network that hangs must not hold a session for ever.
//
// Each call has the whole time again, and so has each piece of a file and each portion of a listing: what is slow may take as
// long as it needs, as long as it moves.

import { ok, type Clock } from '@wellknown/core';
import type { Entry, FileSystem, ReadSource, WriteTarget } from '../file-system.ts';
import { keepingNone, keepsNothing } from './kept-chunks.ts';

/** What a file system is left with that did not answer in time. */
export class StorageTimeout extends Error {
  /** The method: `stat`, or `read`, or `commit` of a target. */
  readonly operation: string;
  readonly path: string;

  constructor(operation: string, path: string) {
    super(`no answer to ${operation} of ${path} in time`);
    this.operation = operation;
    this.path = path;
  }
}

// They have one answer, and what comes of it late is nothing to let go of.
const SINGLE_ANSWERS = [
  ...(['stat', 'removeFile', 'makeDirectory', 'removeDirectory', 'rename', 'setTimes', 'setMode', 'hash'] as const),
  'space',
] as const satisfies readonly (keyof FileSystem)[];

const nothing = (): void => undefined;
/** Tells it to let go, and waits for nothing. */
const letGo = (how: () => Promise<unknown> | undefined): void => void Promise.resolve().then(how).catch(nothing);

/**
 * A function that gives a file system its deadlines, always the same one for the same. What is too late rejects with
 * `StorageTimeout`; a file that is opened later still is closed again. With 0 or Infinity there are none.
 */
export function storageDeadlines(timeoutMs: number, clock: Clock): (inner: FileSystem) => FileSystem {
  const known = new WeakMap<FileSystem, FileSystem>();
  if (timeoutMs === 0 || !Number.isFinite(timeoutMs)) return (inner) => inner;

  /** The answer to `ask`; `late` gets one that nobody waits for any more. */
  const within: Within = (operation, path, ask, late = nothing) =>
    new Promise((resolve, reject) => {
      let isLate = false;
      const answer = Promise.resolve(ask());
      const timer = clock.after(timeoutMs, () => {
        isLate = true;
        reject(new StorageTimeout(operation, path));
      });
      answer
        .finally(() => timer.cancel())
        .then((value) => {
          if (isLate) late(value);
          else resolve(value);
        }, reject);
    });

  return (inner) => {
    const outer = known.get(inner) ?? withDeadlines(inner, within);
    known.set(inner, outer);
    return outer;
  };
}

type Within = <Value>(
  operation: string,
  path: string,
  ask: () => Promise<Value>,
  late?: (value: Value) => void,
) => Promise<Value>;

/** Methods that `inner` does not have are missing here too. */
function withDeadlines(inner: FileSystem, within: Within): FileSystem {
  const methods: Partial<Record<keyof FileSystem, unknown>> = {};
  for (const name of SINGLE_ANSWERS) {
    const method = inner[name]?.bind(inner) as ((path: string, ...more: unknown[]) => Promise<unknown>) | undefined;
    if (method === undefined) continue;
    methods[name] = (path: string, ...more: unknown[]) => within(name, path, () => method(path, ...more));
  }
  const files: FileSystem = {
    ...(methods as Pick<FileSystem, (typeof SINGLE_ANSWERS)[number]>),
    async list(path, options) {
      const listed = await within(
        'list',
        path,
        () => inner.list(path, options),
        (late) => late.ok && letGo(() => late.value[Symbol.asyncIterator]().return?.()),
      );
      return listed.ok ? ok(portionsOf(listed.value, path, within)) : listed;
    },
    async read(path, options) {
      const opened = await within(
        'read',
        path,
        () => inner.read(path, options),
        (late) => late.ok && letGo(() => late.value.close()),
      );
      return opened.ok ? ok(sourceOf(opened.value, path, within)) : opened;
    },
  };
  const write = inner.write?.bind(inner);
  if (write === undefined) return files;
  return {
    ...files,
    async write(path, options) {
      const opened = await within(
        'write',
        path,
        () => write(path, options),
        (late) => late.ok && letGo(() => late.value.abort()),
      );
      return opened.ok ? ok(targetOf(opened.value, path, within)) : opened;
    },
  };
}

async function* portionsOf(
  portions: AsyncIterable<readonly Entry[]>,
  path: string,
  within: Within,
): AsyncGenerator<readonly Entry[]> {
  const iterator = portions[Symbol.asyncIterator]();
  let hasEnded = false;
  try {
    for (;;) {
      const next = await within('list', path, () => iterator.next());
      hasEnded = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (!hasEnded) letGo(() => iterator.return?.());
  }
}

/** The calls into one open file. Once one was not answered in time the file is told to let go, and not waited for. */
function callsOf(path: string, within: Within) {
  let isStuck = false;
  return {
    async ask<Value>(operation: string, call: () => Promise<Value>): Promise<Value> {
      try {
        return await within(operation, path, call);
      } catch (error) {
        isStuck ||= error instanceof StorageTimeout;
        throw error;
      }
    },
    async end(operation: string, call: () => Promise<void>): Promise<void> {
      if (isStuck) letGo(call);
      else await within(operation, path, call);
    },
  };
}

function sourceOf(source: ReadSource, path: string, within: Within): ReadSource {
  const calls = callsOf(path, within);
  const { sizeBytes, isInMemory } = source;
  return {
    sizeBytes,
    ...(isInMemory === undefined ? {} : { isInMemory }),
    read: (into) => calls.ask('read', () => source.read(into)),
    close: () => calls.end('close', () => source.close()),
  };
}

function targetOf(target: WriteTarget, path: string, within: Within): WriteTarget {
  const calls = callsOf(path, within);
  const timed: WriteTarget = {
    write: (chunks) => calls.ask('write', () => target.write(chunks)),
    commit: () => calls.ask('commit', () => target.commit()),
    abort: () => calls.end('abort', () => target.abort()),
  };
  return keepsNothing(target) ? keepingNone(timed) : timed;
}
