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

test('the password of another user opens nothing to one who is not there', async () => {
  const checker = new PasswordChecker();
  const hash = hashOf('secret');
  expect(await checker.check('secret', hash)).toBe('right');
  expect(await checker.check('secret', undefined, hash)).toBe('wrong');
  expect(await checker.check('secret', undefined)).toBe('wrong');
});
