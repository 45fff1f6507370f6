import { expect, test } from 'vitest';
import type { TransferReport } from '../src/index.ts';
import { xferlogLine } from '../src/xferlog.ts';

const report: TransferReport = {
  user: 'ann',
  isAnonymous: false,
  remoteAddress: '192.0.2.9',
  direction: 'upload',
  path: '/a file',
  bytes: 1024,
  elapsedMs: 2_400,
  isComplete: true,
  isAscii: false,
  isPrivate: true,
};
// Of the local time, whatever the zone of the machine is.
const WALL_MS = new Date(2026, 0, 5, 7, 8, 9).getTime();

test('a transfer is one line of eighteen fields', () => {
  const line = xferlogLine(report, WALL_MS);
  expect(line).toBe('Mon Jan  5 07:08:09 2026 2 192.0.2.9 1024 /a_file b _ i r ann ftp 0 * c\n');
  expect(line?.trim().split(/ +/)).toHaveLength(18);
});

test('what was downloaded, in ASCII, by anonymous, or not to its end is marked', () => {
  const other = { ...report, direction: 'download', isAnonymous: true, isAscii: true, isComplete: false } as const;
  expect(xferlogLine({ ...other, user: 'anonymous' }, WALL_MS)).toContain(' a _ o a anonymous ftp 0 * i\n');
});

test('a listing is no transfer', () => {
  expect(xferlogLine({ ...report, direction: 'listing' }, WALL_MS)).toBeUndefined();
});

test('no name can forge a line or a field', () => {
  const line = xferlogLine({ ...report, path: '/x\n0 0\t', user: 'a b\r', remoteAddress: '' }, WALL_MS);
  expect(line?.split('\n')).toHaveLength(2);
  expect(line?.trim().split(/ +/)).toHaveLength(18);
});
