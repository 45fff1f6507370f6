import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Result } from '@wellknown/core';
import { parsePasswordUsers, type PasswordCheckLimits } from '@wellknown/passwords';
import { describe, expect, onTestFinished, test } from 'vitest';
import { accountsAuthenticator, anyAuthenticator } from '../src/users/accounts.ts';
import type { Authenticate, Grant, Verdict } from '../src/users/login.ts';
import { readPasswordEntry, type PasswordEntry } from '../src/users/password-entries.ts';
import { passwordFile } from '../src/users/password-file.ts';

const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const SHA1 = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

const parsePasswordEntries = (text: string): Result<ReadonlyMap<string, PasswordEntry>, string> =>
  parsePasswordUsers(text, { read: readPasswordEntry });

describe('a file of users', () => {
  test('has a user a line, comments, and if need be homes and rights', () => {
    const parsed = parsePasswordEntries(
      `# users\n\nann:${BCRYPT}\r\nbob:${BCRYPT}:/bob:full\ncam:${BCRYPT}:the camera at the door\n`,
    );
    expect(parsed.ok && [...parsed.value.values()]).toEqual([
      { name: 'ann', hash: BCRYPT, home: undefined, rights: undefined },
      { name: 'bob', hash: BCRYPT, home: '/bob', rights: 'full' },
      { name: 'cam', hash: BCRYPT, home: undefined, rights: undefined },
    ]);
  });

  test.each([
    [`ann:${BCRYPT}\nbob:plain`, /^line 2: no hash/],
    [`:${BCRYPT}`, /^line 1: no user name/],
    [`a b:${BCRYPT}`, /^line 1: .*space/],
    [`ftp:${BCRYPT}`, /^line 1: .*anonymous/],
    [`ann:${BCRYPT}\nann:${BCRYPT}`, /^line 2: .*earlier/],
    [`ann:${BCRYPT}:/ann:everything`, /^line 1: the rights are none of none, read/],
  ])('%s is a mistake that names its line and tells no hash', (text, problem) => {
    const parsed = parsePasswordEntries(text);
    expect(parsed).toMatchObject({ ok: false, error: expect.stringMatching(problem) as string });
    expect(JSON.stringify(parsed)).not.toMatch(/\$2a|plain/);
  });
});

const from = { remote: { family: 'ipv4', address: '192.0.2.9', port: 4000 }, secure: false } as const;
const login = async (authenticate: Authenticate, user: string, password: string): Promise<Verdict> =>
  authenticate({ user, password, ...from });

describe('users from a file', () => {
  async function written(text: string): Promise<string> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'ftp-users-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = path.join(directory, 'users');
    await writeFile(file, text);
    return file;
  }

  async function opened(
    file: string,
    problems: string[] = [],
    limits: Partial<PasswordCheckLimits> = {},
  ): Promise<Authenticate> {
    const authenticate = await passwordFile(file, {
      limits,
      grant: ({ home, rights }) => ({ ...(rights !== undefined && { rights }), ...(home !== undefined && { home }) }),
      changedBadly: (problem) => problems.push(problem),
    });
    if (!authenticate.ok) throw new Error(authenticate.error);
    return authenticate.value;
  }

  test('log in with their passwords, again and again, and nobody else does', async () => {
    const users = await opened(await written(`ann:${BCRYPT}\nbob:${SHA1}:/bob:full\n`));
    for (let time = 0; time < 2; time += 1) {
      expect(await login(users, 'ann', 'U*U')).toEqual({});
      expect(await login(users, 'ann', 'secret')).toBeUndefined();
      expect(await login(users, 'bob', 'secret')).toEqual({ home: '/bob', rights: 'full' });
      expect(await login(users, 'nobody', 'U*U')).toBeUndefined();
      expect(await login(users, 'ann', '')).toBeUndefined();
    }
  });

  test('change with the file; a mistake in it changes nothing and is told', async () => {
    const file = await written(`ann:${SHA1}\n`);
    const problems: string[] = [];
    const users = await opened(file, problems);
    expect(await login(users, 'ann', 'secret')).toEqual({});
    await writeFile(`${file}.new`, `bob:${SHA1}\n`);
    await rename(`${file}.new`, file);
    expect(await login(users, 'ann', 'secret')).toBeUndefined();
    expect(await login(users, 'bob', 'secret')).toEqual({});
    await writeFile(`${file}.new`, 'bob:secret\n');
    await rename(`${file}.new`, file);
    expect(await login(users, 'bob', 'secret')).toEqual({});
    await rm(file);
    expect(await login(users, 'bob', 'secret')).toEqual({});
    expect(problems).toEqual([expect.stringMatching(/^line 1: no hash/), expect.stringContaining('ENOENT')]);
  });

  test('that is not there, or has a mistake, is said at the start', async () => {
    const grant = (): Grant => ({});
    expect(await passwordFile('/nowhere/users', { grant })).toEqual({
      ok: false,
      error: "can't be read (ENOENT): it does not exist",
    });
    expect(await passwordFile(await written('ann:x'), { grant })).toMatchObject({ ok: false });
  });

  test('wait for their check, 512 of them, and the next is told that all are busy', async () => {
    // Nobody has a turn here.
    const users = await opened(await written(`ann:${SHA1}\n`), [], { maxConcurrent: 0 });
    let waiting = 512;
    const ended = (): void => void (waiting -= 1);
    for (let count = 0; count < 512; count += 1) void login(users, 'ann', 'secret').then(ended, ended);
    expect(await login(users, 'ann', 'secret')).toBe('busy');
    expect(waiting).toBe(512);
  });

  test('may be empty', async () => {
    expect(await login(await opened(await written('')), 'ann', 'secret')).toBeUndefined();
  });
});

test('users of several places are not unknown while one of them had no time to look', async () => {
  const busy: Authenticate = () => 'busy';
  const nobody: Authenticate = () => undefined;
  const ann: Authenticate = () => ({ user: 'ann' });
  expect(await login(anyAuthenticator([nobody, busy]), 'ann', 'x')).toBe('busy');
  expect(await login(anyAuthenticator([busy, ann]), 'ann', 'x')).toEqual({ user: 'ann' });
  expect(await login(anyAuthenticator([nobody]), 'ann', 'x')).toBeUndefined();
});

test('users from several places are those of the first that knows them', async () => {
  const accounts = (name: string, password: string, home: string): Authenticate =>
    accountsAuthenticator({ accounts: [{ name, password, home }] });
  const users = anyAuthenticator([
    accounts('ann', 'one', '/1'),
    accounts('ann', 'two', '/2'),
    accounts('bob', 'one', '/3'),
  ]);
  expect(await login(users, 'ann', 'one')).toMatchObject({ home: '/1' });
  expect(await login(users, 'ann', 'two')).toMatchObject({ home: '/2' });
  expect(await login(users, 'bob', 'one')).toMatchObject({ home: '/3' });
  expect(await login(users, 'bob', 'two')).toBeUndefined();
});
