// Which differences between two looks at an open file mean that its content is another.

import { describe, expect, test } from 'vitest';
import { changeOf, type FileState } from '../../src/static/file-change.ts';

const BEFORE: FileState = { size: 100, mtimeMs: 1_000, ctimeMs: 1_000, nlink: 1, mode: 0o100644, uid: 1, gid: 1 };
const change = (
  now: Partial<FileState>,
  growth: 'change' | 'append' = 'change',
  isStillThere = true,
): string | undefined => changeOf(BEFORE, { ...BEFORE, ...now }, growth, () => isStillThere);

describe('the content is another where', () => {
  test.each<readonly [what: string, now: Partial<FileState>, told: string]>([
    ['the file is shorter', { size: 99, mtimeMs: 2_000, ctimeMs: 2_000 }, 'it was cut from 100 to 99 bytes'],
    ['the file is longer', { size: 101, mtimeMs: 2_000, ctimeMs: 2_000 }, 'it grew from 100 to 101 bytes'],
    ['the file is longer, at the same time', { size: 101 }, 'it grew from 100 to 101 bytes'],
    ['it was written to', { mtimeMs: 2_000, ctimeMs: 2_000 }, 'it was written to'],
    ['it was written to, and its time is an older one', { mtimeMs: 500, ctimeMs: 2_000 }, 'it was written to'],
    ['it was written to and removed', { mtimeMs: 2_000, ctimeMs: 2_000, nlink: 0 }, 'it was written to'],
    [
      'it was written to, and its time is the old one',
      { ctimeMs: 2_000 },
      'it was written to, and its modification time set back',
    ],
    [
      'it was written to by a step of the clock’s finest float',
      { mtimeMs: 1_000.0005, ctimeMs: 1_000.0005 },
      'it was written to',
    ],
  ])('%s', (_, now, told) => {
    expect(change(now)).toBe(told);
  });

  test('a file is shorter or rewritten, though it is said to be only appended to', () => {
    expect(change({ size: 99 }, 'append')).toBe('it was cut from 100 to 99 bytes');
    expect(change({ mtimeMs: 2_000 }, 'append')).toBe('it was written to');
  });
});

describe('the content is the same where', () => {
  test.each<readonly [what: string, now: Partial<FileState>]>([
    ['nothing happened', {}],
    ['the file was removed', { nlink: 0, ctimeMs: 2_000 }],
    ['it got a second name', { nlink: 2, ctimeMs: 2_000 }],
    ['it may be read by others', { mode: 0o100600, ctimeMs: 2_000 }],
    ['it belongs to another user', { uid: 2, ctimeMs: 2_000 }],
    ['it belongs to another group', { gid: 2, ctimeMs: 2_000 }],
  ])('%s', (_, now) => {
    expect(change(now)).toBeUndefined();
  });

  test('the file was renamed', () => {
    expect(change({ ctimeMs: 2_000 }, 'change', false)).toBeUndefined();
  });

  test('a file that is only appended to grew', () => {
    expect(change({ size: 101, mtimeMs: 2_000, ctimeMs: 2_000 }, 'append')).toBeUndefined();
  });
});
