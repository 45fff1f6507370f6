import { createHash } from 'node:crypto';
import { hashSync } from '@node-rs/bcrypt';
import { expect, test } from 'vitest';
import { PasswordChecker } from '../src/password-checker.ts';

// The least that bcrypt knows: what it costs is not the question here.
const hashOf = (password: string): string => hashSync(password, { cost: 4 });

test('so many are checked, so many wait, and the next is told that all are busy', async () => {
  const hash = hashOf('secret');
  const full = new PasswordChecker({ maxConcurrent: 0, maxWaiting: 0 });
  expect(await full.check('secret', hash)).toBe('busy');
  const checker = new PasswordChecker({ maxConcurrent: 1, maxWaiting: 1 });
  const verdicts = ['wrong', 'secret', 'secret'].map((password) => checker.check(password, hash));
  expect(await Promise.all(verdicts)).toEqual(['wrong', 'right', 'busy']);
  expect(await checker.check('other', hash)).toBe('wrong');
});

test('a password that was right is remembered, until its hash is another; a wrong one is not', async () => {
  const checker = new PasswordChecker({ maxConcurrent: 1, maxWaiting: 0, maxRemembered: 1 });
  const [one, again] = [hashOf('secret'), hashOf('secret')];
  expect(await checker.check('secret', one)).toBe('right');
  // While another is being checked, only what is remembered is answered.
  const slow = checker.check('wrong', one);
  expect([await checker.check('secret', one), await checker.check('secret', again), await slow]).toEqual([
    'right',
    'busy',
    'wrong',
  ]);
  expect(await checker.check('secret', again)).toBe('right');
  const other = checker.check('wrong', again);
  // One more than are remembered: the oldest is forgotten.
  expect([await checker.check('secret', one), await other]).toEqual(['busy', 'wrong']);
});

test('a password of 512 bytes is one like any other, of one more it is wrong and costs the same', async () => {
  const checker = new PasswordChecker();
  const hash = (password: string): string => `{SHA}${createHash('sha1').update(password).digest('base64')}`;
  const longest = 'é'.repeat(256);
  expect(await checker.check(longest, hash(longest))).toBe('right');
  expect(await checker.check(`${longest}x`, hash(`${longest}x`))).toBe('wrong');
});

test('the same user stands in for a name each time, and not one user for all', () => {
  const checker = new PasswordChecker();
  const hashes = ['a', 'b', 'c'];
  const drawn = Array.from({ length: 100 }, (_, index) => checker.standIn(`user${index}`, hashes));
  expect(Array.from({ length: 100 }, (_, index) => checker.standIn(`user${index}`, hashes))).toEqual(drawn);
  expect([...new Set(drawn)].sort()).toEqual(hashes);
  expect(checker.standIn('ann', [])).toBeUndefined();
});

test('who stands in is the same in every process, and changes for few names when a user is added at the end', () => {
  const hashes = Array.from({ length: 9 }, (_, index) => `hash${index}`);
  const names = Array.from({ length: 1_000 }, (_, index) => `user${index}`);
  const drawn = names.map((name) => new PasswordChecker().standIn(name, hashes));
  const again = names.map((name) => new PasswordChecker().standIn(name, [...hashes, 'added']));
  expect(names.map((name) => new PasswordChecker().standIn(name, hashes))).toEqual(drawn);
  const changed = again.filter((one, index) => one !== drawn[index]);
  expect([...new Set(changed)]).toEqual(['added']);
  // A tenth of them, but for chance.
  expect(changed.length).toBeGreaterThan(50);
  expect(changed.length).toBeLessThan(200);
});

test('the password of another user opens nothing to one who is not there', async () => {
  const checker = new PasswordChecker();
  const hash = hashOf('secret');
  expect(await checker.check('secret', hash)).toBe('right');
  expect(await checker.check('secret', undefined, hash)).toBe('wrong');
  expect(await checker.check('secret', undefined)).toBe('wrong');
});
