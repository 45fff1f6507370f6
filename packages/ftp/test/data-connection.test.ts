import { fail } from '@wellknown/core';
import type { MemoryPeer } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { END_GRACE_MS } from '../src/data-connection.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import type { CompleteFileSystem, FileSystem, WriteTarget } from '../src/file-system.ts';
import type { FtpOptions, TransferReport } from '../src/index.ts';
import { CLIENT, codes, play, playLoggedIn, turn, type Play } from './memory-session.ts';

const MIB = 1024 * 1024;

/** Logged in, in TYPE I, with the reports of its transfers. */
async function session(
  fileSystem: FileSystem,
  options: Partial<FtpOptions> = {},
): Promise<Play & { readonly reports: TransferReport[] }> {
  const reports: TransferReport[] = [];
  const playing = await playLoggedIn({ fileSystem, onTransfer: (report) => reports.push(report), ...options });
  await playing.say('TYPE I\r\n');
  return Object.assign(playing, { reports });
}

/** A file system whose uploads stop at a gate: each batch that was written, and what is waited for. */
function gated(files: CompleteFileSystem = memoryFileSystem()) {
  const batches: number[][] = [];
  let pass: (() => void) | undefined;
  const atGate = (): Promise<void> => new Promise((resolve) => (pass = resolve));
  const fileSystem: FileSystem = {
    ...files,
    async write(path, options) {
      const opened = await files.write(path, options);
      if (!opened.ok) return opened;
      const target: WriteTarget = {
        ...opened.value,
        async write(chunks) {
          batches.push(chunks.map(({ length }) => length));
          await atGate();
          return opened.value.write(chunks);
        },
        async commit() {
          await atGate();
          return opened.value.commit();
        },
      };
      return { ok: true, value: target };
    },
  };
  const open = async (): Promise<void> => {
    pass?.();
    await turn();
  };
  return { fileSystem, batches, open };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const isThere = async (files: FileSystem, path: string): Promise<boolean> => (await files.stat(path)).ok;

describe('an upload', () => {
  test('is answered 226 only after it was committed', async () => {
    const { fileSystem, open } = gated();
    const playing = await session(fileSystem);
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('bytes');
    data.end();
    playing.clock.advance(END_GRACE_MS);
    await turn();
    await open();
    await turn();
    expect(playing.peer.take()).toBe('');
    expect(await isThere(fileSystem, '/up')).toBe(false);
    await open();
    expect(codes(await playing.say(''))).toEqual([226]);
    expect(await isThere(fileSystem, '/up')).toBe(true);
    expect(data.closed).toBe(true);
  });

  const endings: [string, Partial<WriteTarget>, number, string[]][] = [
    ['is whole', {}, 226, ['commit']],
    ['can not be committed', { commit: async () => fail('no-space') }, 452, ['commit']],
    ['is committed by a file system that throws', { commit: () => Promise.reject(new Error('x')) }, 451, ['commit']],
    ['can not be written', { write: async () => fail('over-quota') }, 552, ['abort']],
    ['is written by a file system that throws', { write: () => Promise.reject(new Error('x')) }, 451, ['abort']],
  ];
  test.each(endings)('that %s ends once: what a target holds has one owner', async (_, broken, code, ends) => {
    const called: string[] = [];
    const files = memoryFileSystem();
    const fileSystem: FileSystem = {
      ...files,
      async write(path, options) {
        const opened = await files.write(path, options);
        if (!opened.ok) return opened;
        const target = { ...opened.value, ...broken };
        const ending = <Value>(end: string, go: () => Promise<Value>): Promise<Value> => {
          called.push(end);
          return go();
        };
        return {
          ok: true,
          value: {
            ...target,
            commit: () => ending('commit', () => target.commit()),
            abort: () => ending('abort', () => target.abort()),
          },
        };
      },
    };
    const playing = await session(fileSystem);
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('bytes');
    data.end();
    await turn();
    playing.clock.advance(END_GRACE_MS);
    expect(codes(await playing.say(''))).toEqual([code]);
    expect(called).toEqual(ends);
  });

  test('comes in batches, and a client that is faster than the disk is stopped at 1 MiB', async () => {
    const { fileSystem, batches, open } = gated();
    const playing = await session(fileSystem);
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    const chunk = 64 * 1024;
    for (let sent = 0; sent < 4 * MIB; sent += chunk) data.send(new Uint8Array(chunk));
    data.end();
    while (playing.reports.length === 0) {
      playing.clock.advance(END_GRACE_MS);
      await turn();
      await open();
    }
    expect(sum(batches.flat())).toBe(4 * MIB);
    expect(Math.max(...batches.map(sum))).toBe(MIB);
    expect(batches.length).toBeLessThanOrEqual(6);
    expect(playing.reports).toMatchObject([{ isComplete: true, bytes: 4 * MIB }]);
  });

  test.each([
    ['the data connection first', 'data', 'control'],
    ['the control connection first', 'control', 'data'],
  ] as const)('is not complete when its client dies and closes both, %s', async (_, first, second) => {
    const files = memoryFileSystem();
    const playing = await session(files);
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('half');
    await turn();
    const peers = { data, control: playing.peer };
    peers[first].end();
    await turn();
    playing.clock.advance(END_GRACE_MS - 1);
    await turn();
    peers[second].end();
    while (playing.reports.length === 0) await turn();
    expect(playing.reports).toMatchObject([{ isComplete: false, bytes: 4 }]);
    expect(await isThere(files, '/up')).toBe(false);
  });

  test.each([
    ['before the end of its data is not complete', () => undefined, 426],
    ['behind the end of its data is complete', (data: MemoryPeer) => data.end(), 226],
  ])('that is reset %s', async (_, before, code) => {
    const playing = await session(memoryFileSystem());
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('bytes');
    await turn();
    before(data);
    data.reset();
    playing.clock.advance(END_GRACE_MS);
    expect(codes(await playing.say(''))).toEqual([code]);
    expect(playing.reports).toMatchObject([{ isComplete: code === 226 }]);
  });

  test('is complete when the control connection is still there a moment after the end of the data', async () => {
    const playing = await session(memoryFileSystem());
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('whole');
    data.end();
    playing.clock.advance(END_GRACE_MS - 1);
    await turn();
    expect(playing.peer.take()).toBe('');
    playing.clock.advance(1);
    expect(codes(await playing.say(''))).toEqual([226]);
  });

  test('on which nothing arrives for the stall limit is answered 426, and leaves no file', async () => {
    const files = memoryFileSystem();
    const playing = await session(files);
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    playing.clock.advance(100_000);
    data.send('half');
    await turn();
    playing.clock.advance(119_900);
    await turn();
    expect(playing.peer.take()).toBe('');
    playing.clock.advance(300);
    expect(codes(await playing.say(''))).toEqual([426]);
    expect(data.closed).toBe(true);
    expect(await isThere(files, '/up')).toBe(false);
  });

  test('has the stall limit for its client alone: neither a slow disk nor its own rate ends it', async () => {
    const { fileSystem, open } = gated();
    // The disk has a limit of its own (storage-deadlines.test.ts).
    const playing = await session(fileSystem, {
      sessionRates: { uploadBytesPerSecond: 1 },
      session: { storageTimeoutMs: 0 },
    });
    const data = await playing.openData();
    await playing.say('STOR up\r\n');
    data.send('a'.repeat(300));
    await turn();
    playing.clock.advance(300_000);
    await open();
    // 300 bytes are paid for in 300 s.
    playing.clock.advance(299_900);
    data.send('b');
    await turn();
    playing.clock.advance(100);
    await turn();
    await open();
    playing.clock.advance(1_000);
    await turn();
    expect(playing.peer.take()).toBe('');
    playing.clock.advance(120_100);
    expect(codes(await playing.say(''))).toEqual([426]);
    expect(playing.reports).toMatchObject([{ isComplete: false, bytes: 301 }]);
  });
});

describe('a download', () => {
  test('is not ended by its own rate', async () => {
    const files = memoryFileSystem({ files: { '/a': 'a'.repeat(3_000) } });
    const playing = await session(files, { sessionRates: { downloadBytesPerSecond: 1 } });
    const data = await playing.openData();
    await playing.say('RETR a\r\n');
    await turn();
    expect(data.take()).toHaveLength(1024);
    playing.clock.advance(1_024_000);
    await turn();
    playing.clock.advance(1_024_000);
    await turn();
    playing.clock.advance(952_000);
    expect(codes(await playing.say(''))).toEqual([226]);
    expect(data.take()).toHaveLength(3_000 - 1024);
  });

  /** A file of endless zeros that remembers what it was read into. */
  function endless() {
    const buffers = new Set<ArrayBufferLike>();
    let reads = 0;
    const fileSystem: FileSystem = {
      ...memoryFileSystem(),
      read: () =>
        Promise.resolve({
          ok: true,
          value: {
            sizeBytes: 1024 * MIB,
            read(into: Uint8Array) {
              reads += 1;
              if (reads > 100) throw new Error('read without an end');
              buffers.add(into.buffer);
              return Promise.resolve({ ok: true as const, value: into.length });
            },
            close: () => Promise.resolve(),
          },
        }),
    };
    return { fileSystem, buffers, reads: () => reads };
  }

  test('is read three buffers ahead of its client, and a buffer that was taken is read into again', async () => {
    const { fileSystem, buffers, reads } = endless();
    const playing = await session(fileSystem);
    const data = await playing.openData();
    data.reading = false;
    await playing.say('RETR big\r\n');
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(reads()).toBe(3);
    data.sip();
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(reads()).toBe(4);
    data.sip();
    data.sip();
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(reads()).toBe(6);
    expect(buffers.size).toBe(3);
    data.reset();
    expect(codes(await playing.say(''))).toEqual([426]);
  });

  test('of which its client takes nothing for the stall limit is answered 426, one that takes some goes on', async () => {
    const { fileSystem } = endless();
    const playing = await session(fileSystem);
    const data = await playing.openData();
    data.reading = false;
    await playing.say('RETR big\r\n');
    await turn();
    for (let round = 0; round < 3; round += 1) {
      playing.clock.advance(100_000);
      data.sip();
      await turn();
    }
    expect(playing.peer.take()).toBe('');
    playing.clock.advance(250_000);
    expect(codes(await playing.say(''))).toEqual([426]);
    expect(data.closed).toBe(true);
  });

  test('is not ended by a client that shuts down its own side at once', async () => {
    const playing = await session(memoryFileSystem({ files: { '/a': 'hello' } }));
    const data = await playing.openData();
    data.end();
    expect(codes(await playing.say('RETR a\r\n', 2))).toEqual([150, 226]);
    expect(data.take()).toBe('hello');
  });

  test('leaves its client two seconds to close, on the clock', async () => {
    const playing = await session(memoryFileSystem({ files: { '/a': 'hello' } }));
    const data = await playing.openData();
    expect(codes(await playing.say('RETR a\r\n', 2))).toEqual([150, 226]);
    expect(data.sawEnd).toBe(true);
    playing.clock.advance(1_900);
    expect(data.closed).toBe(false);
    playing.clock.advance(400);
    expect(data.closed).toBe(true);
  });
});

describe('a data connection that cannot be made', () => {
  const ACTIVE = 'PORT 127,0,0,1,195,80\r\n';

  test('to a port where nothing listens is answered 425 at once', async () => {
    const playing = await session(memoryFileSystem());
    playing.network.behaviour = 'refuses';
    expect(codes(await playing.say(`${ACTIVE}LIST\r\n`, 3))).toEqual([200, 150, 425]);
  });

  test('to a client that does not answer is answered 425 once the time is up', async () => {
    const playing = await session(memoryFileSystem());
    playing.network.behaviour = 'silent';
    expect(codes(await playing.say(`${ACTIVE}LIST\r\n`, 2))).toEqual([200, 150]);
    playing.clock.advance(29_999);
    await turn();
    expect(playing.peer.take()).toBe('');
    playing.clock.advance(1);
    expect(codes(await playing.say(''))).toEqual([425]);
  });

  test('and for which the client says ABOR is answered 426, then 226', async () => {
    const playing = await session(memoryFileSystem());
    playing.network.behaviour = 'silent';
    expect(codes(await playing.say(`${ACTIVE}LIST\r\nABOR\r\n`, 4))).toEqual([200, 150, 426, 226]);
  });
});

test('a session that ends gives up the port, and drops the client that had connected there', async () => {
  const waiting = await session(memoryFileSystem());
  await waiting.say('EPSV\r\n');
  expect(waiting.network.ports).toHaveLength(1);
  await waiting.say('QUIT\r\n');
  expect(waiting.network.ports).toEqual([]);
  const connected = await session(memoryFileSystem());
  const data = await connected.openData();
  connected.peer.reset();
  expect(data.closed).toBe(true);
});

test('EPSV before the login opens no port', async () => {
  const playing = play();
  expect(codes(await playing.say('EPSV\r\n', 2))).toEqual([220, 530]);
  expect(playing.network.ports).toEqual([]);
  expect(playing.network.connectTo(50_000, CLIENT)).toBeUndefined();
});
