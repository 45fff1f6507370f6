import { hashSync } from '@node-rs/bcrypt';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '@wellknown/core/testing';
import { basicAuth, parseCredentials, type BasicAuthOptions } from '../../src/auth/basic-auth.ts';
import { PasswordChecker } from '../../src/auth/password-check.ts';
import { parsePasswordFile } from '../../src/auth/password-file.ts';
import { UsersOnDisk } from '../../src/auth/users-on-disk.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { ask } from '../ask.ts';
import type { ReadResponse } from '../serve.ts';

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

test('a password that was right is remembered, until its hash is another; a wrong one is not', async () => {
  const checker = new PasswordChecker({ maxConcurrent: 0, maxWaiting: 0, maxRemembered: 2 });
  expect(await checker.check('secret', USERS.get('ada'))).toBe('busy');
  const open = new PasswordChecker({ maxConcurrent: 1, maxWaiting: 0, maxRemembered: 1 });
  const check = (password: string, hash: string | undefined): Promise<string> => open.check(password, hash);
  const [ada, again] = [hashOf('secret'), hashOf('secret')];
  expect(await check('secret', ada)).toBe('right');
  // While another is being checked, only what is remembered is answered.
  const slow = check('wrong', ada);
  expect([await check('secret', ada), await check('secret', again), await slow]).toEqual(['right', 'busy', 'wrong']);
  expect([await check('secret', again), await check('', undefined)]).toEqual(['right', 'wrong']);
});

describe('a password file', () => {
  const hash = hashOf('x');
  test('is lines of name and hash, as htpasswd -B writes them', () => {
    const parsed = parsePasswordFile(`# users\n\nada:${hash}\r\nbob:${hash}:a comment\n`);
    expect(parsed.ok && [...parsed.value]).toEqual([
      ['ada', hash],
      ['bob', hash],
    ]);
  });

  test.each([
    ['ada', 'line 1: the password'],
    [`:${hash}`, 'line 1 has no user name'],
    [`ada:${hash}\n\nada:${hash}`, "line 3: 'ada' is named twice"],
    ['ada:$apr1$Lgp8Lpva$VZw5Rc1m6JUcbdpTmWT/p0', "line 1: the password of 'ada' is no bcrypt hash"],
    ['ada:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=', 'no bcrypt hash'],
    ['ada:secret', "'htpasswd -B' makes one"],
    [`ada:${hash.replace('$04$', '$03$')}`, 'no bcrypt hash'],
    [`ada:${hash}x`, 'no bcrypt hash'],
  ])('%j is refused: %s', (text, problem) => {
    expect(parsePasswordFile(text)).toEqual({ ok: false, error: expect.stringContaining(problem) as string });
  });

  test('is looked at again while the server runs; one that is broken leaves the users of before', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-users-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'users');
    const problems: string[] = [];
    fs.writeFileSync(file, `ada:${hash}\n`);
    const opened = UsersOnDisk.open(file, (problem) => problems.push(problem));
    const get = (name: string): string | undefined => (opened.ok ? opened.value.get(name) : undefined);
    expect([get('ada'), get('bob')]).toEqual([hash, undefined]);
    fs.writeFileSync(file, `bob:${hash}\n`);
    await eventually(() => get('bob') !== undefined);
    expect(get('ada')).toBeUndefined();
    fs.writeFileSync(file, 'bob:secret\n');
    await eventually(() => get('bob') !== undefined && problems.length > 0);
    expect(problems).toEqual([expect.stringContaining('line 1')]);
    fs.rmSync(file);
    await eventually(() => get('bob') !== undefined && problems.length > 1);
    expect(problems[1]).toContain('ENOENT');
  });

  test.each([
    ['that is missing', undefined, "can't be read (ENOENT)"],
    ['that is too large', `${'#'.repeat(1_048_576)}\n`, 'is larger than 1048576 bytes'],
  ])('%s is refused', (_, content, problem) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-users-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'users');
    if (content !== undefined) fs.writeFileSync(file, content);
    expect(UsersOnDisk.open(file, () => undefined)).toEqual({ ok: false, error: problem });
  });
});

test('credentials are read as they are meant, or not at all (RFC 7617 §2)', () => {
  expect(parseCredentials(header('a:b:c'))).toEqual({ name: 'a', password: 'b:c' });
  expect([null, '', 'Basic', `Basic ${Buffer.from([0xff, 0x3a]).toString('base64')}`].map(parseCredentials)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
});
