import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { fail, ok, type Result } from '@wellknown/core';
import { createFakeClock } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MAX_PASSWORD_FILE_BYTES, PasswordFile, type PasswordFileOptions } from '../src/password-file.ts';
import { parsePasswordUsers, type PasswordUser } from '../src/password-users.ts';

const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const SHA1 = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

interface User extends PasswordUser {
  readonly fields: readonly string[];
}
const read = (user: PasswordUser, fields: readonly string[]): Result<User, string> =>
  fields[0] === 'bad' ? fail('a bad field') : ok({ ...user, fields });

describe('the text of a password file', () => {
  test('is lines of name and hash, and what follows is for the server', () => {
    const parsed = parsePasswordUsers(`# users\n\n \t\nann:${BCRYPT}\r\nbob the builder:${SHA1}:/home:full\n`, {
      read,
    });
    expect(parsed.ok && [...parsed.value.values()]).toEqual([
      { name: 'ann', hash: BCRYPT, fields: [] },
      { name: 'bob the builder', hash: SHA1, fields: ['/home', 'full'] },
    ]);
  });

  test('may begin with a byte order mark, which is no part of a name', () => {
    const parsed = parsePasswordUsers(`\uFEFFann:${SHA1}\n`, { read });
    expect(parsed.ok && [...parsed.value.keys()]).toEqual(['ann']);
  });

  test.each([
    ['ann', /^line 1: no hash .*htpasswd -B.*mkpasswd.*apr1.*SHA/],
    [`ann:${BCRYPT}\nbob:plain`, /^line 2: no hash/],
    [`:${BCRYPT}`, /^line 1: no user name/],
    [`\n\na\tb:${BCRYPT}`, /^line 3: .*control/],
    [`ann:${BCRYPT}\n\nann:${SHA1}`, /^line 3: .*earlier/],
    [`ann:${BCRYPT}:bad`, /^line 1: a bad field$/],
  ])('%j is a mistake that names its line, and tells nothing of what stands in it', (text, problem) => {
    const parsed = parsePasswordUsers(text, { read });
    expect(parsed).toMatchObject({ ok: false, error: expect.stringMatching(problem) as string });
    expect(JSON.stringify(parsed)).not.toMatch(/\$2a|plain|ann|bob/);
  });

  test('may be held to some kinds of hashes', () => {
    const options = { kinds: ['bcrypt'], read } as const;
    expect(parsePasswordUsers(`ann:${BCRYPT}`, options).ok).toBe(true);
    expect(parsePasswordUsers(`ann:${SHA1}`, options)).toEqual({
      ok: false,
      error: expect.stringMatching(/^line 1: no hash of a kind that is taken: bcrypt[^,]*$/) as string,
    });
  });

  test('whatever it is gives users or the number of a line', () => {
    const piece = fc.constantFrom(':', '\n', '\r\n', '#', 'ann', BCRYPT, SHA1, ' ', '\0');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        const parsed = parsePasswordUsers(pieces.join(''), { read });
        expect(parsed.ok ? '' : parsed.error).toMatch(/^(?:line \d+: .*)?$/);
      }),
    );
  });
});

describe('a password file', () => {
  function written(text: string): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-passwords-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'users');
    fs.writeFileSync(file, text);
    return file;
  }

  async function opened(
    file: string,
    options: Partial<PasswordFileOptions<User>> = {},
  ): Promise<(name: string) => Promise<string | undefined>> {
    const users = await PasswordFile.open(file, { read, failed: () => undefined, ...options });
    if (!users.ok) throw new Error(users.error);
    return async (name) => (await users.value.get(name))?.hash;
  }

  test('is looked at again while the server runs; one that is broken leaves the users of before, and is told once', async () => {
    const file = written(`ann:${BCRYPT}\n`);
    const problems: string[] = [];
    const get = await opened(file, { failed: (problem) => problems.push(problem) });
    expect([await get('ann'), await get('bob')]).toEqual([BCRYPT, undefined]);
    // With another length: the clock of a file system may be coarse.
    fs.writeFileSync(file, `bobby:${SHA1}\n`);
    expect([await get('ann'), await get('bobby')]).toEqual([undefined, SHA1]);
    fs.writeFileSync(file, 'bobby:secret\n');
    expect(await Promise.all(['bobby', 'bobby', 'bobby'].map(get))).toEqual([SHA1, SHA1, SHA1]);
    expect(problems).toEqual([expect.stringMatching(/^line 1: no hash/)]);
    fs.rmSync(file);
    for (let time = 0; time < 2; time += 1) expect(await get('bobby')).toBe(SHA1);
    expect(problems.slice(1)).toEqual(["can't be read (ENOENT): it does not exist"]);
    fs.writeFileSync(file, `ann:${SHA1}\n`);
    expect([await get('ann'), await get('bobby')]).toEqual([SHA1, undefined]);
  });

  test('that could not be read for a moment is read again, and told once', async () => {
    const file = written(`ann:${BCRYPT}\n`);
    const problems: string[] = [];
    const get = await opened(file, { failed: (problem) => problems.push(problem) });
    // A directory: it can be looked at and not be read.
    fs.rmSync(file);
    fs.mkdirSync(file);
    for (let time = 0; time < 2; time += 1) expect(await get('ann')).toBe(BCRYPT);
    fs.rmdirSync(file);
    fs.writeFileSync(file, `bobby:${SHA1}\n`);
    expect(await get('ann')).toBeUndefined();
    expect(problems).toEqual(["can't be read (EISDIR): it is a folder"]);
  });

  test('is left alone for as long as it is told', async () => {
    const clock = createFakeClock();
    const file = written(`ann:${BCRYPT}\n`);
    const get = await opened(file, { lookAgainMs: 1_000, clock });
    fs.writeFileSync(file, '');
    clock.advance(999);
    expect(await get('ann')).toBe(BCRYPT);
    clock.advance(1);
    expect(await get('ann')).toBeUndefined();
  });

  test.each([
    ['of the largest size is taken', '#'.repeat(MAX_PASSWORD_FILE_BYTES), true],
    ['of one byte more is not', '#'.repeat(MAX_PASSWORD_FILE_BYTES + 1), false],
    ['with a mistake is not', 'ann:x', false],
    ['without users is', '', true],
  ])('%s', async (_, text, isTaken) => {
    expect((await PasswordFile.open(written(text), { read, failed: () => undefined })).ok).toBe(isTaken);
  });

  test('that is not there is told at the start', async () => {
    expect(await PasswordFile.open('/nowhere/users', { read, failed: () => undefined })).toEqual({
      ok: false,
      error: "can't be read (ENOENT): it does not exist",
    });
  });
});
