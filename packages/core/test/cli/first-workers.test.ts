// Which command lines may have their workers before they are parsed: those that can't mean others.

import { expect, test } from 'vitest';
import { workersOf } from '../../src/cli/first-workers.ts';

test.each([
  [[], 'auto'],
  [['./site', '--port-offset', '8000'], 'auto'],
  [['--workers', 'auto'], 'auto'],
  [['--workers', '1', './site'], 1],
  [['--workers=12'], 12],
])('%j has the workers %j', (argv, workers) => {
  expect(workersOf(argv)).toBe(workers);
});

test.each([
  [['--workers', '0']],
  [['--workers', 'many']],
  [['--workers']],
  [['--workers', '1', '--workers=2']],
  [['--help']],
  [['--help=all']],
  [['-h']],
  [['--version']],
  [['--inetd']],
  [['--config', 'x.json']],
  [['--run-as=nobody']],
])('%j is parsed first', (argv) => {
  expect(workersOf(argv)).toBeUndefined();
});
