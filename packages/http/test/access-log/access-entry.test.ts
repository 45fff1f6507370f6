import { expect, test } from 'vitest';
import { combinedLine, type AccessEntry } from '../../src/access-log/access-entry.ts';

const ENTRY: AccessEntry = {
  client: '192.0.2.1',
  atMs: Date.UTC(2026, 10, 2, 3, 4, 5),
  durationMs: 7,
  method: 'GET',
  target: '/a?b',
  httpVersion: '1.1',
  status: 200,
  contentBytes: 12,
  referer: undefined,
  userAgent: 'curl/8',
  requestId: undefined,
};

test('a line says who has logged in, as one word', () => {
  expect(combinedLine({ ...ENTRY, user: 'ada "l' })).toMatch(/^192\.0\.2\.1 - ada\\x22l \[/);
});

test('a line is in the combined format', () => {
  expect(combinedLine(ENTRY)).toBe(
    '192.0.2.1 - - [02/Nov/2026:03:04:05 +0000] "GET /a?b HTTP/1.1" 200 12 "-" "curl/8"\n',
  );
  expect(combinedLine({ ...ENTRY, contentBytes: 0, status: 304, referer: 'http://r/' })).toContain(
    '" 304 - "http://r/" ',
  );
});

test('a line has the second in which its request came, and no earlier one', () => {
  const at = Date.UTC(2026, 11, 31, 23, 59, 58);
  const stampOf = (ms: number): string | undefined => /\[[^\]]*\]/.exec(combinedLine({ ...ENTRY, atMs: at + ms }))?.[0];
  expect([0, 999, 1_000, 1_999, 2_000, 0].map(stampOf)).toEqual([
    '[31/Dec/2026:23:59:58 +0000]',
    '[31/Dec/2026:23:59:58 +0000]',
    '[31/Dec/2026:23:59:59 +0000]',
    '[31/Dec/2026:23:59:59 +0000]',
    '[01/Jan/2027:00:00:00 +0000]',
    '[31/Dec/2026:23:59:58 +0000]',
  ]);
});

test('whatever a client sends, a line stays a line and its quotes stay closed', () => {
  const line = combinedLine({ ...ENTRY, userAgent: 'a" 200 1 "\n\\\x1b[31mé', target: '/"', client: 'x y\n' });
  expect(line.match(/\n/g)).toHaveLength(1);
  expect(line).toContain('"a\\x22 200 1 \\x22\\x0a\\x5c\\x1b[31m\\xe9"');
  expect(line).toMatch(/^xy\\x0a - - \[/);
});
