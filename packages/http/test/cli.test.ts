import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '@wellknown/core';
import { hashSync } from '@node-rs/bcrypt';
import { eventually, serveInMemory } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putBackGlobals } from '../src/fetch/replace-globals.ts';
import { httpCommand } from '../src/cli.ts';
import { readResponses, settled, type ReadResponse } from './serve.ts';

let directory = '';
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-command-'));
  fs.writeFileSync(
    path.join(directory, 'function.mjs'),
    'export default (request) => new Response(new URL(request.url).pathname);',
  );
  fs.writeFileSync(
    path.join(directory, 'object.mjs'),
    'export default { word: "object", fetch() { return new Response(this.word); } };',
  );
  fs.writeFileSync(path.join(directory, 'nothing.mjs'), 'export const handler = 1;');
  fs.writeFileSync(
    path.join(directory, 'compiled.cjs'),
    'exports.__esModule = true; exports.default = () => new Response("compiled");',
  );
  fs.writeFileSync(path.join(directory, 'common.cjs'), 'module.exports = { fetch: () => new Response("common") };');
  fs.writeFileSync(path.join(directory, 'null.mjs'), 'throw null;');
  fs.writeFileSync(path.join(directory, 'itself.cjs'), 'exports.__esModule = true; exports.default = exports;');
  fs.writeFileSync(path.join(directory, 'fetchless.mjs'), 'export default { fetch: 1 };');
});
afterAll(() => {
  fs.rmSync(directory, { recursive: true });
  putBackGlobals();
});

type Given = Readonly<Record<string, string | true | readonly string[]>>;
const build = (positional: string | undefined, given: Given = {}): ReturnType<typeof httpCommand.build> =>
  httpCommand.build(
    {
      positional,
      text: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
      list: (name) => (Array.isArray(given[name]) ? (given[name] as readonly string[]) : []),
      has: (name) => given[name] !== undefined,
    },
    { log: silentLog, portOffset: 0, isServing: true },
  );

test('the default is port 80', async () => {
  expect(await build(directory)).toMatchObject({ ok: true, value: { name: 'http', port: 80 } });
});

test.each([
  ['function.mjs', '/x'],
  ['object.mjs', 'object'],
  ['common.cjs', 'common'],
  ['compiled.cjs', 'compiled'],
])('--handler %s is served', async (file, body) => {
  const built = await build(undefined, { handler: path.join(directory, file) });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  await settled();
  expect(readResponses(peer.take())).toMatchObject([{ status: 200, body }]);
});

test('--access-log writes a line for each request', async () => {
  const file = path.join(directory, 'access.log');
  const built = await build(directory, { 'access-log': file });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send('GET /missing HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\n\r\n');
  let text = '';
  for (const until = Date.now() + 10_000; text === '' && Date.now() < until; text = fs.readFileSync(file, 'utf8'))
    await settled();
  expect(text).toMatch(/^192\.0\.2\.1 - - \[[^\]]+\] "GET \/missing HTTP\/1\.1" 404 11 "-" "test"\n$/);
});

test('--users asks for a password, --header, --security-headers and --error-page say what is sent', async () => {
  const site = path.join(directory, 'site');
  const users = path.join(directory, 'users');
  fs.mkdirSync(site);
  fs.writeFileSync(path.join(site, 'lost.html'), 'lost');
  fs.writeFileSync(users, `ada:${hashSync('secret', { cost: 4 })}\n`);
  const built = await build(site, {
    users,
    realm: 'Site',
    header: ['X-All: a: b', '^/x X-Some: yes', 'X-Frame-Options:'],
    'security-headers': true,
    'error-page': ['404=/lost.html'],
  });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  const ask = async (authorization: string): Promise<ReadResponse | undefined> => {
    peer.send(`GET /x HTTP/1.1\r\nHost: a\r\n${authorization}\r\n`);
    let text = '';
    await eventually(() => (text += peer.take()) !== '');
    return readResponses(text)[0];
  };
  const denied = await ask('');
  expect([denied?.status, denied?.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="Site", charset="UTF-8"',
  ]);
  expect(['x-all', 'x-some', 'referrer-policy'].map((name) => denied?.headers.get(name))).toEqual([
    'a: b',
    'yes',
    'strict-origin-when-cross-origin',
  ]);
  const lost = await ask(`Authorization: Basic ${btoa('ada:secret')}\r\n`);
  expect([lost?.status, lost?.body]).toEqual([404, 'lost']);
  const names = ['x-all', 'x-some', 'x-frame-options', 'referrer-policy'];
  expect(names.map((name) => lost?.headers.get(name))).toEqual([
    'a: b',
    'yes',
    null,
    'strict-origin-when-cross-origin',
  ]);
});

test('--trust-proxy believes those addresses and no other', async () => {
  fs.writeFileSync(
    path.join(directory, 'client.mjs'),
    'export default (request, { client }) => new Response(client.address);',
  );
  const addressSeen = async (cidr: string): Promise<string | undefined> => {
    const built = await build(undefined, { handler: path.join(directory, 'client.mjs'), 'trust-proxy': [cidr] });
    if (!built.ok) throw new Error(built.error);
    const { peer } = serveInMemory(built.value);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
    await settled();
    return readResponses(peer.take())[0]?.body;
  };
  expect(await addressSeen('192.0.2.0/24')).toBe('203.0.113.9');
  expect(await addressSeen('198.51.100.0/24')).toBe('192.0.2.1');
});

test('--redirect-to-https beside a handler serves clients with TLS, also those of a trusted proxy', async () => {
  const built = await build(undefined, {
    handler: path.join(directory, 'function.mjs'),
    'redirect-to-https': '443',
    'trust-proxy': ['192.0.2.0/24'],
  });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  peer.send('GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n');
  await settled();
  expect(
    readResponses(peer.take()).map(({ status, headers, body }) => [status, headers.get('location'), body]),
  ).toEqual([
    [308, 'https://a/x', ''],
    [200, null, '/x'],
  ]);
});

test.each([
  ['5', 413],
  ['6', 200],
  ['0', 200],
])('--max-body %s for six bytes of content: %i', async (bytes, status) => {
  const built = await build(undefined, { handler: path.join(directory, 'function.mjs'), 'max-body': bytes });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef');
  await settled();
  expect(readResponses(peer.take())).toMatchObject([{ status }]);
});

test('--redirect-to-https redirects all requests to the same place there', async () => {
  const built = await build(undefined, { 'redirect-to-https': '8443' });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send(
    'GET //evil/a?b HTTP/1.1\r\nHost: example.org:8080\r\n\r\nPOST http://other/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.0\r\n\r\n',
  );
  const received = readResponses(peer.take());
  expect(received.map(({ status, headers }) => [status, headers.get('location')])).toEqual([
    [308, 'https://example.org:8443//evil/a?b'],
    [308, 'https://other:8443/x'],
    [400, null],
  ]);
});

describe('a problem is a sentence that names what was given', () => {
  test.each<readonly [string, string | undefined, Given, string]>([
    ['a root that is not there', '/nowhere', {}, "ROOT '/nowhere' does not exist"],
    ['a root that is a file', process.execPath, {}, `ROOT '${process.execPath}' is not a directory`],
    [
      'a handler and a root',
      '.',
      { handler: 'x.mjs' },
      "--handler x.mjs and the directory '.' were both given: serve one of them",
    ],
    [
      'classes for a handler, and none',
      '.',
      { 'platform-classes': true },
      '--platform-classes has no meaning without --handler',
    ],
    [
      'a handler and an option for files',
      undefined,
      { handler: 'x.mjs', spa: true },
      '--spa is for files and has no meaning with --handler x.mjs',
    ],
    [
      'a policy that does not exist',
      '.',
      { symlinks: 'some' },
      "--symlinks is 'some', allowed is deny, inside, follow",
    ],
    ['a pattern that is none', '.', { immutable: '(' }, "--immutable '(' is no regular expression"],
    ['another pattern that is none', '.', { 'append-only': '[' }, "--append-only '[' is no regular expression"],
    [
      'a field that is none',
      '.',
      { header: ['X-A'] },
      "--header 'X-A' is neither 'NAME: VALUE' nor 'PATTERN NAME: VALUE'",
    ],
    ['a pattern for a field that is none', '.', { header: ['( X-A: b'] }, "--header '(' is no regular expression"],
    [
      'a field that is not to be set',
      '.',
      { header: ['etag: "x"'] },
      "--header 'etag: \"x\"': etag is the server's to say",
    ],
    [
      'a page for no error',
      '.',
      { 'error-page': ['200=/x.html'] },
      "--error-page '200=/x.html': 200 is none of 400, 403, 404, 405, 412, 416, 503",
    ],
    [
      'a page that is no path',
      '.',
      { 'error-page': ['404'] },
      "--error-page '404' is not STATUS=PATH, such as 404=/404.html",
    ],
    [
      'users that are not there',
      '.',
      { users: '/nowhere/x' },
      "--users '/nowhere/x' can't be read (ENOENT): it does not exist",
    ],
    ['a realm without users', '.', { realm: 'x' }, '--realm has no meaning without --users'],
    [
      'an end of a client that means nothing',
      '.',
      { 'half-close': 'close' },
      "--half-close is 'close', allowed is answer, abort",
    ],
    [
      'a proxy that is no address',
      '.',
      { 'trust-proxy': ['x'] },
      "--trust-proxy x: 'x' is neither an IPv4 nor an IPv6 address",
    ],
    [
      'a field without proxies',
      '.',
      { forwarded: 'forwarded' },
      '--forwarded forwarded has no meaning without --trust-proxy',
    ],
    [
      'a log in no folder',
      '.',
      { 'access-log': '/nowhere/x' },
      "--access-log '/nowhere/x' can't be opened (ENOENT): its folder does not exist",
    ],
    ['a log that is a folder', '.', { 'access-log': '/' }, "--access-log '/' can't be opened (EISDIR): it is a folder"],
    ['a size that is none', '.', { 'max-body': '1MB' }, "--max-body is '1MB', allowed is a whole number from 0"],
    [
      'a port that is none',
      undefined,
      { 'redirect-to-https': '0' },
      "--redirect-to-https '0' is no port, allowed are 1 to 65535",
    ],
    ['another policy that does not exist', '.', { dotfiles: 'some' }, "--dotfiles is 'some', allowed is deny, allow"],
    [
      'a Cache-Control that breaks a line',
      '.',
      { 'cache-control': 'a\r\nb' },
      "--cache-control 'a\r\nb' can't be sent: only printable ASCII is allowed",
    ],
  ])('%s', async (_, positional, given, error) => {
    expect(await build(positional, given)).toEqual({ ok: false, error });
  });

  test.each([
    [
      'nothing.mjs',
      'its default export is missing (the module exports handler), expected a function or an object with a fetch method',
    ],
    ['itself.cjs', 'its default export is an object, expected a function or an object with a fetch method'],
    ['fetchless.mjs', 'its default export is an object, expected a function or an object with a fetch method'],
    ['null.mjs', "it can't be loaded: null"],
    ['absent.mjs', 'there is no such file'],
    ['.', 'it is a directory, expected a JavaScript file'],
  ])('--handler %s', async (file, reason) => {
    const handler = path.join(directory, file);
    expect(await build(undefined, { handler })).toEqual({ ok: false, error: `--handler ${handler}: ${reason}` });
  });
});
