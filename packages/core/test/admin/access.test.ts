// Who may ask the admin listener for what: of each kind of path, with and without a token.

import { describe, expect, test } from 'vitest';
import { judge, ROUTES, type AdminRequest } from '../../src/admin/access.ts';

const TOKEN = '0123456789abcdef';
const paths = (needs: string) =>
  Object.entries(ROUTES).flatMap(([path, route]) => (route.needs === needs ? [path] : []));

const ask = (path: string, more: Partial<AdminRequest> = {}): AdminRequest => ({
  method: path in ROUTES ? ROUTES[path as keyof typeof ROUTES].method : 'GET',
  path,
  host: '127.0.0.1:9900',
  origin: undefined,
  fetchSite: undefined,
  authorization: undefined,
  ...more,
});
const withToken = { authorization: `Bearer ${TOKEN}` };

test('there is something of each kind', () => {
  expect([paths('nothing').length, paths('read').length, paths('act').length].every((count) => count > 0)).toBe(true);
});

test.each(paths('nothing'))('%s is for everybody, by any name', (path) => {
  for (const token of [undefined, TOKEN])
    expect(judge(ask(path, { host: 'status.example' }), token)).toEqual({ at: 'allowed', path });
});

describe.each(paths('read'))('%s', (path) => {
  test.each(['127.0.0.1:9900', '127.8.9.10', 'localhost:1', 'LOCALHOST', '[::1]:9900', undefined])(
    'may be read without a token by the name %s',
    (host) => expect(judge(ask(path, { host }), undefined)).toEqual({ at: 'allowed', path }),
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1:9900',
    '[::2]',
    'localhost:1@evil',
  ])('is kept from a page that reaches it by the name %s', (host) =>
    expect(judge(ask(path, { host }), undefined)).toMatchObject({ at: 'refused', status: 421 }),
  );

  test('wants the token where there is one, from this machine too', () => {
    expect(judge(ask(path), TOKEN)).toMatchObject({ status: 401 });
    for (const authorization of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, TOKEN, `Basic ${TOKEN}`, 'Bearer', ''])
      expect(judge(ask(path, { authorization }), TOKEN)).toMatchObject({ status: 401 });
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN} `])
      expect(judge(ask(path, { host: 'status.example', authorization }), TOKEN)).toEqual({ at: 'allowed', path });
  });
});

describe.each(paths('act'))('%s', (path) => {
  test('is not to be had without a token', () => {
    expect(judge(ask(path), undefined)).toMatchObject({ status: 403 });
    expect(judge(ask(path, withToken), undefined)).toMatchObject({ status: 403 });
  });

  test('is done for who has the token: a program, or our own page', () => {
    expect(judge(ask(path), TOKEN)).toMatchObject({ status: 401 });
    expect(judge(ask(path, withToken), TOKEN)).toEqual({ at: 'allowed', path });
    const own = { origin: 'http://127.0.0.1:9900', fetchSite: 'same-origin' };
    expect(judge(ask(path, { ...withToken, ...own }), TOKEN)).toEqual({ at: 'allowed', path });
  });

  test.each([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:9901' },
    { fetchSite: 'cross-site' },
    { fetchSite: 'same-site' },
  ])('is not done for the page of another site: %j', (from) =>
    expect(judge(ask(path, { ...withToken, ...from }), TOKEN)).toMatchObject({ status: 403 }),
  );

  test('is no link', () =>
    expect(judge(ask(path, { ...withToken, method: 'GET' }), TOKEN)).toMatchObject({ status: 405 }));
});

test.each(['/toString', '/metrics/', '', '/../status.json'])('there is no %s', (path) =>
  expect(judge(ask(path), undefined)).toMatchObject({ status: 404 }),
);

test('HEAD is GET, and nothing else is', () => {
  expect(judge(ask('/healthz', { method: 'HEAD' }), undefined)).toMatchObject({ at: 'allowed' });
  for (const method of ['POST', 'DELETE', 'OPTIONS'])
    expect(judge(ask('/metrics', { method }), undefined)).toMatchObject({ status: 405 });
});
