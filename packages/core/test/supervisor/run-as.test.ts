// Who may become whom.

import { expect, test } from 'vitest';
import { becomeProblem } from '../../src/supervisor/run-as.ts';

const wanted = { uid: 1_000, gid: 100 };

test.each([
  ['root', 0, 0],
  ['the user itself, as a worker is', 1_000, 100],
])('%s may become the user', (_name, effectiveUid, effectiveGid) => {
  expect(becomeProblem(wanted, { effectiveUid, effectiveGid })).toBeUndefined();
});

test.each([
  ['another user', 1_001, 100],
  ['the user in another group', 1_000, 101],
])('%s may not, and is told why', (_name, effectiveUid, effectiveGid) => {
  expect(becomeProblem(wanted, { effectiveUid, effectiveGid })).toBe(
    `only root may run workers as another user or group; this is user ${effectiveUid}, group ${effectiveGid}`,
  );
});
