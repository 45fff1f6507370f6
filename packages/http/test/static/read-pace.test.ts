// Reads of files that the kernel has in memory: at once, as long as the guess holds.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serveFiles } from '../../src/static/serve-files.ts';
import { ReadPace } from '../../src/static/read-pace.ts';
import { ask } from '../ask.ts';
import { serveHandler } from '../serve.ts';
import { eventually } from '@wellknown/core/testing';

const SIZE = 3_000_000;
let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-pace-'));
  fs.writeFileSync(path.join(root, 'big.bin'), Buffer.alloc(SIZE, 'abcdefghij'));
  fs.utimesSync(path.join(root, 'big.bin'), 1, 1);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  fs.rmSync(root, { recursive: true });
});

/** How often the file was read by threads, and at once, for one request. */
async function readsOf(
  handler: ReturnType<typeof serveFiles>,
): Promise<{ later: number; atOnce: number; body: string }> {
  const [later, atOnce] = [vi.spyOn(fs, 'read'), vi.spyOn(fs, 'readSync')];
  const { body } = await ask(handler, '/big.bin');
  const counts = { later: later.mock.calls.length, atOnce: atOnce.mock.calls.length, body };
  later.mockRestore();
  atOnce.mockRestore();
  return counts;
}

describe('a file that was read a moment ago', () => {
  test('is read at once, and others have their turn in between', async () => {
    const handler = serveFiles(root);
    const first = await readsOf(handler);
    const second = await readsOf(handler);
    expect(first.atOnce).toBe(0);
    expect(second.atOnce).toBeGreaterThan(second.later);
    // At least once for each MiB.
    expect(second.later).toBeGreaterThanOrEqual(2);
    expect([first.body.length, second.body === first.body]).toEqual([SIZE, true]);
  });

  test('breaks off when it changes, as any other', async () => {
    const handler = serveFiles(root);
    await readsOf(handler);
    const readSync = fs.readSync;
    vi.spyOn(fs, 'readSync').mockImplementationOnce((...args: Parameters<typeof fs.readSync>) => {
      fs.truncateSync(path.join(root, 'big.bin'), 10);
      return readSync(...args);
    });
    const { peer, errors } = serveHandler(handler);
    peer.send('GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => peer.take() === '' && peer.closed);
    expect(errors).toEqual([expect.stringContaining(`it was cut from ${SIZE} to 10 bytes`)]);
  });
});

describe('the guess', () => {
  const slowly = (pace: ReadPace, ms: number): void => {
    const now = vi.spyOn(performance, 'now');
    now.mockReturnValueOnce(1_000).mockReturnValueOnce(1_000 + ms);
    pace.timed(() => 1);
    now.mockRestore();
  };
  const at = (ms: number): void => void vi.spyOn(performance, 'now').mockReturnValue(ms);

  test('is made for a minute, for files on the device of the root', () => {
    const pace = new ReadPace(root);
    const { dev } = fs.statSync(root);
    at(0);
    pace.wasRead('a');
    at(59_999);
    expect([pace.isWarm(dev, 'a'), pace.isWarm(dev + 1, 'a'), pace.isWarm(dev, 'b')]).toEqual([true, false, false]);
    at(60_000);
    expect(pace.isWarm(dev, 'a')).toBe(false);
  });

  test('is remembered of so many files', () => {
    const pace = new ReadPace(root);
    const { dev } = fs.statSync(root);
    for (let index = 0; index <= 1_024; index += 1) pace.wasRead(String(index));
    expect([pace.isWarm(dev, '0'), pace.isWarm(dev, '1'), pace.isWarm(dev, '1024')]).toEqual([false, true, true]);
  });

  test('rests after two slow reads in a row, and not after one', () => {
    const pace = new ReadPace(root);
    slowly(pace, 3);
    slowly(pace, 1);
    slowly(pace, 3);
    at(1_003);
    expect(pace.mayBlock()).toBe(true);
    vi.restoreAllMocks();
    slowly(pace, 3);
    at(11_002);
    expect(pace.mayBlock()).toBe(false);
    at(11_003);
    expect(pace.mayBlock()).toBe(true);
  });

  test('is not made on a file system that may hang', () => {
    vi.spyOn(fs, 'statfsSync').mockReturnValue({ type: 0x6969 } as fs.StatsFs);
    const pace = new ReadPace(root);
    pace.wasRead('a');
    expect(pace.isWarm(fs.statSync(root).dev, 'a')).toBe(false);
  });
});
