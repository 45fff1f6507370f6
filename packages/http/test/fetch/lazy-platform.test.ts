// The platform's classes are loaded when somebody looks for them behind ours, and nobody can tell.

import { runProgram } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/http/test/fixtures/lazy-platform-program.ts');

async function ask(question: string): Promise<unknown> {
  const { stdout, stderr } = await runProgram([...PROGRAM, question]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('what ours can do by themselves loads none of the platform’s', async () => {
  expect(await ask('what ours can do')).toEqual({ answer: ['Response', '1', 200, {}], isLoaded: false });
});

test.each([
  ['instanceof the platform’s', true],
  ['instanceof ours', [true, false]],
  ['a class that fetch gave', true],
  ['what fetch gave', true],
  ['members to `for`', true],
  ['a member that ours lack', 'none'],
  ['whether there is a member', [true]],
  ['a static member that ours lack', 'error'],
  ['the prototypes', true],
])('the first look behind ours finds the platform’s: %s', async (question, answer) => {
  expect(await ask(question)).toEqual({ answer, isLoaded: true });
});

test('a program may put HttpResponse in the place of Response before it makes its server', async () => {
  const { stdout, stderr } = await runProgram([
    ...programArguments('packages/http/test/fixtures/own-globals-program.ts'),
  ]);
  expect([stdout, stderr]).toEqual(['from the class put there\n', '']);
});
