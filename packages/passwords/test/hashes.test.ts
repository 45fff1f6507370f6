import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { HASH_KINDS, hashKindOf, verifyPassword } from '../src/hashes.ts';

// Published vectors, and what `openssl passwd` writes.
const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const SHA512 = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1';
const written = (...how: string[]): string =>
  spawnSync('openssl', ['passwd', ...how], { encoding: 'utf8' }).stdout.trim();

describe('the password of a hash', () => {
  test.each([
    ['bcrypt', 'U*U', BCRYPT],
    ['bcrypt', 'U*U', BCRYPT.replace('$2a$', '$2y$')],
    ['sha1', 'secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
    ['sha-crypt', 'Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ['sha-crypt', 'Hello world!', SHA512],
  ])('of the kind %s is told from others', async (kind, password, hash) => {
    expect(hashKindOf(hash)).toBe(kind);
    expect(await verifyPassword(password, hash)).toBe(true);
    expect(await verifyPassword(`${password}x`, hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  test.each([
    ['-apr1', 'apr1'],
    ['-5', 'sha-crypt'],
    ['-6', 'sha-crypt'],
  ])('that openssl passwd %s writes is told from others', async (how, kind) => {
    const hash = written(how, 'pass:wörd');
    expect(hashKindOf(hash)).toBe(kind);
    expect(await verifyPassword('pass:wörd', hash)).toBe(true);
    expect(await verifyPassword('pass:wore', hash)).toBe(false);
  });

  test.each([
    ['', 'nothing'],
    ['secret', 'plain text'],
    [BCRYPT.replace('$05$', '$15$'), 'a bcrypt that takes seconds'],
    [BCRYPT.replace('$05$', '$03$'), 'a bcrypt below the least'],
    [`${BCRYPT}x`, 'a bcrypt and more'],
    [`$6$rounds=9999999$salt$${'a'.repeat(86)}`, 'a sha-crypt that takes seconds'],
    [`$6$sa!t$${'a'.repeat(86)}`, 'a salt that no library takes'],
    [`$5$salt$${'a'.repeat(86)}`, 'a sha-256 as long as a sha-512'],
    [`$6$salt$${'a'.repeat(43)}`, 'a sha-512 as short as a sha-256'],
    [`$1$salt$${'a'.repeat(22)}`, 'the md5 of an old Unix'],
  ])('%s is none (%s)', async (hash) => {
    expect(hashKindOf(hash)).toBeUndefined();
    expect(await verifyPassword('secret', hash)).toBe(false);
  });

  test.each([
    [BCRYPT.replace('$05$', '$14$'), 'the highest cost'],
    [`$6$rounds=999999$salt$${'a'.repeat(86)}`, 'the most rounds'],
  ])('%s is one (%s)', (hash) => {
    expect(HASH_KINDS).toContain(hashKindOf(hash));
  });
});

test('a check of many rounds leaves the event loop to others', async () => {
  const hash = `$6$rounds=200000$salt$${'a'.repeat(86)}`;
  let turns = 0;
  const count = setInterval(() => (turns += 1), 1);
  expect(await verifyPassword('secret', hash)).toBe(false);
  clearInterval(count);
  expect(turns).toBeGreaterThan(1);
});

test('checks at the same time get each its own answer', async () => {
  const hashes = ['-5', '-6'].flatMap((how) =>
    ['one', 'two'].map((password) => ({ password, hash: written(how, password) })),
  );
  const answers = hashes.flatMap(({ password, hash }) =>
    ['one', 'two'].map(async (tried) => (await verifyPassword(tried, hash)) === (tried === password)),
  );
  expect(await Promise.all(answers)).toEqual(answers.map(() => true));
});
