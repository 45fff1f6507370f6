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

test('whatever a client sends, a line stays a line and its quotes stay closed', () => {
  const line = combinedLine({ ...ENTRY, userAgent: 'a" 200 1 "\n\\\x1b[31mé', target: '/"', client: 'x y\n' });
  expect(line.match(/\n/g)).toHaveLength(1);
  expect(line).toContain('"a\\x22 200 1 \\x22\\x0a\\x5c\\x1b[31m\\xe9"');
  expect(line).toMatch(/^xy\\x0a - - \[/);
});
