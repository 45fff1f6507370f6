import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DiskPace } from '../../src/files/disk-pace.ts';

const EXT4 = 0xef53;
const NFS = 0x6969;
const DEVICE = 7;

let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A call that takes its time. */
const take = (pace: DiskPace, ms: number): number => pace.timed(() => (nowMs += ms));

describe('a file that was read', () => {
  test('is warm for a minute, on the device of the root', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    pace.wasRead('a');
    nowMs = 59_999;
    expect([pace.isWarm(DEVICE, 'a'), pace.isWarm(DEVICE + 1, 'a'), pace.isWarm(DEVICE, 'b')]).toEqual([
      true,
      false,
      false,
    ]);
    nowMs = 60_000;
    expect(pace.isWarm(DEVICE, 'a')).toBe(false);
  });

  test('is remembered as one of so many', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    for (let index = 0; index <= 1_024; index += 1) pace.wasRead(String(index));
    expect(['0', '1', '1024'].map((identity) => pace.isWarm(DEVICE, identity))).toEqual([false, true, true]);
  });

  test('is never warm on a file system that may hang', () => {
    const pace = new DiskPace(NFS, DEVICE);
    pace.wasRead('a');
    expect(pace.isWarm(DEVICE, 'a')).toBe(false);
  });
});

describe('a directory', () => {
  test('is near for a minute after it was seen on the device of the root', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    pace.wasSeen('/a', DEVICE);
    pace.wasSeen('/b', DEVICE + 1);
    expect([pace.isNear('/a'), pace.isNear('/b'), pace.isNear('/c')]).toEqual([true, false, false]);
    nowMs = 60_000;
    expect(pace.isNear('/a')).toBe(false);
  });

  test('is never near on a file system that may hang', () => {
    const pace = new DiskPace(NFS, DEVICE);
    pace.wasSeen('/a', DEVICE);
    expect(pace.isNear('/a')).toBe(false);
  });
});

describe('the guess', () => {
  test('rests for ten seconds after two slow calls in a row', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    take(pace, 3);
    expect(pace.mayBlock()).toBe(true);
    take(pace, 3);
    nowMs += 9_999;
    expect(pace.mayBlock()).toBe(false);
    nowMs += 1;
    expect(pace.mayBlock()).toBe(true);
  });

  test('does not rest after slow calls with quick ones in between', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    for (const ms of [3, 2, 3, 1, 3]) take(pace, ms);
    expect(pace.mayBlock()).toBe(true);
  });

  test('learns from calls that throw too, and passes on what they throw', () => {
    const pace = new DiskPace(EXT4, DEVICE);
    const failing = (): never => {
      nowMs += 3;
      throw new Error('ENOENT');
    };
    expect(() => pace.timed(failing)).toThrow('ENOENT');
    expect(() => pace.timed(failing)).toThrow('ENOENT');
    expect(pace.mayBlock()).toBe(false);
  });

  test('gives what the call gave', () => {
    expect(new DiskPace(EXT4, DEVICE).timed(() => 'value')).toBe('value');
  });
});
