import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRedisUrl } from '../src/connection-options.ts';

const plain = { prefix: 'wellknown', username: undefined, password: undefined, database: 0 };

test.each([
  ['redis://cache', { ...plain, name: 'redis://cache', socket: { host: 'cache', port: 6379, tls: false } }],
  ['rediss://cache:6380/2', { ...plain, database: 2, socket: { host: 'cache', port: 6380, tls: true } }],
  ['redis://[::1]:7', { ...plain, socket: { host: '::1', port: 7, tls: false } }],
  ['redis+socket:/run/redis/redis.sock', { ...plain, socket: { path: '/run/redis/redis.sock' } }],
  ['redis+socket:///run/a%20b?db=3', { ...plain, database: 3, socket: { path: '/run/a b' } }],
  ['redis://cache?prefix=edge', { ...plain, prefix: 'edge' }],
  ['redis://me:a%2Fb@cache', { ...plain, name: 'redis://cache', username: 'me', password: 'a/b' }],
])('%s is read', (url, expected) => {
  expect(parseRedisUrl({ url })).toMatchObject({ ok: true, value: expected });
});

test('a password beside the URL is taken, one in it goes before', () => {
  expect(parseRedisUrl({ url: 'redis://cache', password: 'beside' })).toMatchObject({ value: { password: 'beside' } });
  expect(parseRedisUrl({ url: 'redis://:in@cache', password: 'beside' })).toMatchObject({ value: { password: 'in' } });
});

test.each([
  ['cache:6379', "is 'cache:6379', allowed is redis://HOST:PORT, rediss://HOST:PORT or redis+socket:PATH"],
  ['cache', 'is no URL, allowed is'],
  ['http://cache', "is 'http://cache/', allowed is redis://"],
  ['redis://', "is 'redis:', allowed is redis://"],
  ['redis+socket:', "is 'redis+socket:', allowed is"],
  ['redis://cache/first', "the database 'first' is no number"],
  ['redis://cache?timeout=3', 'with ?timeout=, allowed are prefix and db'],
])('%s is refused with what is allowed', (url, words) => {
  expect(parseRedisUrl({ url })).toMatchObject({ ok: false, error: expect.stringContaining(words) as string });
});

test('a problem never holds the password', () => {
  for (const url of ['redis://me:secret@cache/x', 'redis://me:secret@cache?y=1', 'ftp://me:secret@cache'])
    expect(JSON.stringify(parseRedisUrl({ url }))).not.toContain('secret');
});

test('whatever is given, it does not throw', () => {
  const urls = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((text) => `redis://${text}`),
  );
  fc.assert(fc.property(urls, (url) => void parseRedisUrl({ url })));
});
