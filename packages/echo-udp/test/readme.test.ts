// The README tells what the tables say.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SMALL_SERVICES, SMALL_SERVICE_NAMES } from '../src/index.ts';
import { DROP_REASONS } from '../src/datagram-guard.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('every reason to drop has its row, in the order they are looked at', () => {
  const rows = [...README.matchAll(/^\| `dropped-([a-z-]+)` \|/gm)].map(([, reason]) => reason);
  expect(rows).toEqual(DROP_REASONS.filter((reason) => reason !== 'too-short'));
});

test.each(SMALL_SERVICE_NAMES)('%s has its row, with port, transports and RFC', (name) => {
  const { port, rfc, ...row } = SMALL_SERVICES[name];
  const over = ['answer' in row ? 'UDP' : '', 'open' in row ? 'TCP' : ''].filter((word) => word !== '').join(', ');
  expect(README).toMatch(new RegExp(`^\\| ${name} \\| ${port} \\| ${over} \\| RFC ${rfc}\\b`, 'm'));
});
