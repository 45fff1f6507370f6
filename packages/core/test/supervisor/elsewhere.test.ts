// Serving in a thread and in a process of somebody else's cluster, where Node can fork nothing.

import { expect, test } from 'vitest';
import { runProgram } from '../../src/testing/index.ts';
import { programArguments } from '../../../../test/programs.ts';

test('where there can be no workers they are refused at once, with words, and a server without them serves', async () => {
  const { stdout, status } = await runProgram(programArguments('packages/core/test/fixtures/elsewhere-program.ts'));
  const refused = (where: string): string =>
    `WellknownError: ${where} can't have worker processes of its own: serve with 'workers: 0' there, or make the server in the main thread of the first process`;
  expect(stdout.split('\n')).toEqual([
    'thread 0: standalone has served',
    `thread 2: ${refused('a worker thread')}`,
    'process 0: standalone has served',
    `process 2: ${refused("a worker of another program's cluster")}`,
    'ended 0',
    '',
  ]);
  expect(status).toBe(0);
});
