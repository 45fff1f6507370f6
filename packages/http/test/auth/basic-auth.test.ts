import { hashSync } from '@node-rs/bcrypt';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFakeClock, eventually } from '@wellknown/core/testing';
import type { AccessEntry } from '../../src/access-log/access-entry.ts';
import { basicAuth, parseCredentials, type BasicAuthOptions } from '../../src/auth/basic-auth.ts';
import { openPasswordFile, parsePasswordFile } from '../../src/auth/password-file.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { ask } from '../ask.ts';
import { serveHandler, type ReadResponse } from '../serve.ts';

// The least that bcrypt knows: what it costs is not the question here.
const hashOf = (password: string): string => hashSync(password, { cost: 4, version: '2y' });
const USERS = new Map([
  ['ada', hashOf('secret')],
  ['zoë', hashOf('pass:wörd')],
]);
const header = (text: string, scheme = 'Basic'): string => `${scheme} ${Buffer.from(text).toString('base64')}`;

async function login(
  authorization: string | undefined,
  options: Partial<BasicAuthOptions> = {},
): Promise<ReadResponse> {
  const handler = basicAuth(() => new HttpResponse('inside'), { users: USERS, ...options });
  return ask(handler, '/', { headers: authorization === undefined ? {} : { Authorization: authorization } });
}

test('the access log knows who has logged in, and not who has tried to', async () => {
  const entries: AccessEntry[] = [];
  const handler = basicAuth(() => new HttpResponse('inside'), { users: USERS });
  const { peer } = serveHandler(handler, {}, { accessLog: (entry) => void entries.push(entry) });
  for (const password of ['secret', 'Secret'])
    peer.send(`GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${header(`ada:${password}`)}\r\n\r\n`);
  await eventually(() => entries.length === 2);
  expect(entries.map(({ status, user }) => [status, user])).toEqual([
    [200, 'ada'],
    [401, undefined],
  ]);
});

describe('a handler behind a password', () => {
  test.each([
    ['a user', header('ada:secret')],
    ['the scheme in any case', header('ada:secret', 'bAsIc')],
    ['text beyond ASCII, and colons in the password', header('zoë:pass:wörd')],
  ])('is reached with %s', async (_, authorization) => {
    expect(await login(authorization)).toMatchObject({ status: 200, body: 'inside' });
  });

  test.each([
    ['nothing', undefined],
    ['a wrong password', header('ada:Secret')],
    ['no password', header('ada:')],
    ['a user who is not there', header('eve:secret')],
    ['what every object has', header('constructor:secret')],
    ['no user', header(':secret')],
    ['no colon', header('ada')],
    ['another scheme', header('ada:secret', 'Bearer')],
    ['no base64', 'Basic ada:secret'],
    ['nothing after the scheme', 'Basic '],
    ['control characters', header('ada:secret\0')],
    ['two of them', `${header('ada:secret')}, ${header('ada:secret')}`],
    ['more than anybody has', header(`ada:${'x'.repeat(2_000)}`)],
  ])('asks for it where it gets %s', async (_, authorization) => {
    const { status, headers } = await login(authorization, { realm: 'The "site"' });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Basic realm="The \\"site\\"", charset="UTF-8"']);
  });

  test('says that it is busy when too many wait, and loses nobody who does', async () => {
    const handler = basicAuth(() => new HttpResponse('inside'), {
      users: USERS,
      limits: { maxConcurrent: 1, maxWaiting: 1 },
    });
    const headers = { Authorization: header('ada:secret') };
    const statuses = await Promise.all(
      Array.from({ length: 3 }, async () => (await ask(handler, '/', { headers })).status),
    );
    expect(statuses.sort()).toEqual([200, 200, 503]);
  });
});

describe('a password file', () => {
  const hash = hashOf('x');
  test('is lines of name and hash, as htpasswd -B writes them', () => {
    const parsed = parsePasswordFile(`# users\n\nada:${hash}\r\nbob the builder:${hash}:a comment\n`);
    expect(parsed.ok && [...parsed.value]).toEqual([
      ['ada', hash],
      ['bob the builder', hash],
    ]);
  });

  test.each([
    ['apr1', '$apr1$Lgp8Lpva$VZw5Rc1m6JUcbdpTmWT/p0'],
    ['SHA-1', '{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
    ['SHA-512 crypt', `$6$salt$${'a'.repeat(86)}`],
    ['clear text', 'secret'],
  ])('takes bcrypt only, and no %s', (_, other) => {
    const words = expect.stringMatching(/^line 2: no hash .*htpasswd -B/) as string;
    expect(parsePasswordFile(`ada:${hash}\nbob:${other}`)).toEqual({ ok: false, error: words });
  });

  test('lets in whom it names, and is looked at again a second later', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-users-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'users');
    fs.writeFileSync(file, `ada:${hash}\n`);
    const clock = createFakeClock();
    const opened = await openPasswordFile(file, { failed: () => undefined, clock });
    if (!opened.ok) throw new Error(opened.error);
    const statusOf = async (name: string): Promise<number> =>
      (await login(header(`${name}:x`), { users: opened.value })).status;
    expect([await statusOf('ada'), await statusOf('bob')]).toEqual([200, 401]);
    fs.writeFileSync(file, `bob:${hash}\n`);
    expect([await statusOf('ada'), await statusOf('bob')]).toEqual([200, 401]);
    clock.advance(1_000);
    expect([await statusOf('ada'), await statusOf('bob')]).toEqual([401, 200]);
  });
});

test('credentials are read as they are meant, or not at all (RFC 7617 §2)', () => {
  expect(parseCredentials(header('a:b:c'))).toEqual({ name: 'a', password: 'b:c' });
  expect([null, '', 'Basic', `Basic ${Buffer.from([0xff, 0x3a]).toString('base64')}`].map(parseCredentials)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
  // `:` alone is neither a name nor a password, and they are asked for as they are.
  expect(parseCredentials('Basic Og==')).toEqual({ name: '', password: '' });
  expect(parseCredentials(header('a:b', 'Basic '))).toEqual({ name: 'a', password: 'b' });
  expect(parseCredentials(header('a:b').replace(' ', ''))).toBeUndefined();
  const longest = 'eHh4'.repeat((1_024 - 'YTp4'.length) / 4);
  expect(parseCredentials(`Basic YTp4${longest}`)).toMatchObject({ name: 'a' });
  expect(parseCredentials(`Basic YTp4${longest}eHh4`)).toBeUndefined();
});

test.each(['Site\n', '\tSite', 'Zoë'])('a realm that can not be sent is refused: %j', (realm) => {
  expect(() => basicAuth(() => new HttpResponse(), { users: USERS, realm })).toThrow(TypeError);
});
