// A file system that does not answer holds a session for no longer than `storageTimeoutMs`, whatever it was asked.

import { ok, silentLog, type Logger } from '@wellknown/core';
import { createFakeClock } from '@wellknown/core/testing';
import { expect, test, vi } from 'vitest';
import type { FileSystem, ReadSource, WriteTarget } from '../src/file-system.ts';
import { END_GRACE_MS } from '../src/data-connection.ts';
import { DEFAULT_FTP_LIMITS } from '../src/protocol.ts';
import { storageDeadlines, StorageTimeout } from '../src/storage/deadlines.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { codes, playLoggedIn, turn, type Play } from './memory-session.ts';

const TIMEOUT_MS = DEFAULT_FTP_LIMITS.storageTimeoutMs;
const never = (): Promise<never> => new Promise(() => undefined);

/** Warnings as they are logged; errors count too, so that none goes unseen. */
function listeningLog() {
  const lines: unknown[] = [];
  const hear = (fields: unknown): void => void lines.push(fields);
  const log: Logger = { ...silentLog, warn: hear, error: hear };
  return { log, lines };
}

function files(changed: (memory: FileSystem) => Partial<FileSystem>): FileSystem {
  const memory = memoryFileSystem({ files: { '/a.txt': 'hello', '/dir/b': 'b' } });
  return { ...memory, ...changed(memory) };
}

const turns = async (): Promise<void> => {
  for (let count = 0; count < 20; count += 1) await turn();
};

/** Time passes to the last moment in which an answer is awaited, and one past it. What was heard before and after. */
async function pass(session: Play): Promise<{ before: number[]; after: number[] }> {
  await turns();
  session.clock.advance(TIMEOUT_MS - 1);
  await turns();
  const before = codes(session.peer.take());
  session.clock.advance(1);
  await turns();
  return { before, after: codes(session.peer.take()) };
}

test.each([
  ['stat', 'SIZE a.txt', '/a.txt'],
  ['list', 'STAT dir', '/dir'],
  ['hash', 'HASH a.txt', '/a.txt'],
  ['space', 'AVBL dir', '/dir'],
  ['removeFile', 'DELE a.txt', '/a.txt'],
  ['makeDirectory', 'MKD new', '/new'],
  ['removeDirectory', 'RMD dir', '/dir'],
  ['rename', 'RNFR a.txt\r\nRNTO b.txt', '/a.txt'],
  ['setTimes', 'MFMT 20260101000000 a.txt', '/a.txt'],
  ['setMode', 'SITE CHMOD 644 a.txt', '/a.txt'],
] as const)('%s that never answers is answered 451 at the limit, and logged once', async (operation, command, path) => {
  const { log, lines } = listeningLog();
  const session = await playLoggedIn({ fileSystem: files(() => ({ [operation]: never })) }, log);
  await session.say('TYPE I\r\n');
  session.peer.send(`${command}\r\nNOOP\r\n`);
  const { before, after } = await pass(session);
  expect(before.filter((code) => code !== 350)).toEqual([]);
  expect(after).toEqual([451, 200]);
  expect(lines).toEqual([{ operation, path, connection: session.connection.id }]);
});

const source = (changed: Partial<ReadSource>): Partial<FileSystem> => ({
  read: () => Promise.resolve(ok({ sizeBytes: 5, read: never, close: () => Promise.resolve(), ...changed })),
});
const target = (changed: Partial<WriteTarget>): Partial<FileSystem> => ({
  write: () =>
    Promise.resolve(
      ok({
        write: () => Promise.resolve(ok(undefined)),
        commit: () => Promise.resolve(ok(undefined)),
        abort: () => Promise.resolve(),
        ...changed,
      }),
    ),
});
const endless: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: never }) };

test.each<[string, string, Partial<FileSystem>, number[]]>([
  ['read', 'RETR a.txt', { read: never }, []],
  ['write', 'STOR new', { write: never }, []],
  ['list', 'LIST dir', { list: never }, []],
  ['read', 'RETR a.txt', source({}), [150]],
  ['close', 'RETR a.txt', source({ read: () => Promise.resolve(ok(0)), close: never }), [150]],
  ['write', 'STOR new', target({ write: never }), [150]],
  ['commit', 'STOR new', target({ commit: never }), [150]],
  ['list', 'LIST dir', { list: () => Promise.resolve(ok(endless)) }, [150]],
])(
  '%s in a transfer (%s) that never answers ends it, and the session goes on',
  async (operation, command, changed, before) => {
    const { log, lines } = listeningLog();
    const session = await playLoggedIn({ fileSystem: files(() => changed) }, log);
    await session.say('TYPE I\r\n');
    const data = await session.openData();
    session.peer.send(`${command}\r\n`);
    await turns();
    if (command.startsWith('STOR')) {
      data.send('hello');
      data.end();
      await turns();
      // Only a commit waits for it.
      session.clock.advance(operation === 'commit' ? END_GRACE_MS : 0);
    }
    const heard = await pass(session);
    expect(heard).toEqual({ before, after: [451] });
    expect(lines).toMatchObject([{ operation }]);
    expect(await session.say('PWD\r\n')).toMatch(/^257 /);
  },
);

test('a read that is slow, but moves, may take longer in all', async () => {
  let answer = (): void => undefined;
  const pieces = ['h', 'i', ''];
  const read = (into: Uint8Array) =>
    new Promise<ReturnType<typeof ok<number>>>((resolve) => {
      answer = () => resolve(ok(new TextEncoder().encodeInto(pieces.shift() ?? '', into).written));
    });
  const deadlines = storageDeadlines(100, createClock());
  const opened = await deadlines(files(() => source({ read }))).read('/a.txt', { startBytes: 0 });
  expect(opened.ok).toBe(true);
  for (const bytes of [1, 1, 0]) {
    const piece = opened.ok ? opened.value.read(new Uint8Array(8)) : undefined;
    clock.advance(99);
    answer();
    expect(await piece).toEqual(ok(bytes));
  }
});

let clock = createFakeClock();
function createClock() {
  clock = createFakeClock();
  return clock;
}

test('what is opened too late is closed, a target is aborted, a listing is ended, and a rejection is not unhandled', async () => {
  const close = vi.fn(() => Promise.resolve());
  const abort = vi.fn(() => Promise.reject(new Error('late')));
  const commit = vi.fn();
  const returned = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
  const listing: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: never, return: returned }) };
  const late: (() => void)[] = [];
  const later = <Value>(value: Value) => new Promise<Value>((resolve) => late.push(() => resolve(value)));
  const timed = storageDeadlines(
    100,
    createClock(),
  )(
    files(() => ({
      read: () => later(ok({ sizeBytes: 5, read: never, close })),
      write: () => later(ok({ write: never, commit, abort })),
      list: () => later(ok(listing)),
      stat: () => new Promise((_resolve, reject) => late.push(() => reject(new Error('late')))),
    })),
  );
  const asked = Promise.allSettled([
    timed.read('/a.txt', { startBytes: 0 }),
    timed.write?.('/new', { mode: 'replace' }),
    timed.list('/dir'),
    timed.stat('/a.txt'),
  ]);
  clock.advance(100);
  expect((await asked).map((one) => one.status === 'rejected' && one.reason instanceof StorageTimeout)).toEqual(
    Array(4).fill(true),
  );
  expect([close, abort, returned].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
  for (const answer of late) answer();
  await turns();
  expect([close, abort, returned, commit].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1, 0]);
});

test('a file that did not answer is told to let go, and not waited for', async () => {
  const close = vi.fn(never);
  const abort = vi.fn(never);
  const timed = storageDeadlines(
    100,
    createClock(),
  )(files(() => ({ ...source({ close }), ...target({ write: never, abort }) })));
  const read = await timed.read('/a.txt', { startBytes: 0 });
  const written = await timed.write?.('/new', { mode: 'replace' });
  const asked = Promise.allSettled([
    read.ok ? read.value.read(new Uint8Array(8)) : undefined,
    written?.ok === true ? written.value.write([]) : undefined,
  ]);
  clock.advance(100);
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await (read.ok ? read.value.close() : undefined);
  await (written?.ok === true ? written.value.abort() : undefined);
  expect([close.mock.calls.length, abort.mock.calls.length]).toEqual([1, 1]);
});

test('an opening that is given up is told so', async () => {
  let signal: AbortSignal | undefined;
  const fileSystem = files(() => ({
    read(_path, options) {
      ({ signal } = options);
      return never();
    },
  }));
  const session = await playLoggedIn({ fileSystem });
  await session.openData();
  session.peer.send('RETR a.txt\r\n');
  expect((await pass(session)).after).toEqual([451]);
  expect(signal?.aborted).toBe(true);
});

test('methods that are missing stay so, and without a limit the file system is used as it is', () => {
  const memory = files(() => ({}));
  const readable: FileSystem = { stat: never, list: never, read: never };
  expect(Object.keys(storageDeadlines(100, createClock())(readable)).sort()).toEqual(['list', 'read', 'stat']);
  for (const timeoutMs of [0, Number.POSITIVE_INFINITY])
    expect(storageDeadlines(timeoutMs, clock)(memory)).toBe(memory);
});

test('QUIT behind a command that hangs is answered once its time is over, and a drain says 421', async () => {
  const leaving = await playLoggedIn({ fileSystem: files(() => ({ stat: never })) });
  leaving.peer.send('STAT a.txt\r\nQUIT\r\n');
  expect((await pass(leaving)).after).toEqual([451, 221]);
  const drained = await playLoggedIn({ fileSystem: files(() => ({ stat: never })) });
  drained.peer.send('STAT a.txt\r\n');
  await turns();
  drained.connection.startDrain();
  expect((await pass(drained)).after).toEqual([451, 421]);
});
