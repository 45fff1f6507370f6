// Who may become whom.

import { expect, test, vi } from 'vitest';
import { createServer, defineProtocol } from '../../src/index.ts';
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

test('a server that may not start its workers as another user refuses to listen, says why, and ends', async () => {
  const users = [
    vi.spyOn(process, 'geteuid').mockReturnValue(1_001),
    vi.spyOn(process, 'getegid').mockReturnValue(100),
  ];
  const protocol = defineProtocol({ name: 'echo', port: 7, connection: (peer) => peer.end() });
  const server = createServer({ protocol, listen: 'tcp://127.0.0.1:0' }, { workers: 1, runAs: wanted });
  try {
    await expect(server.listen()).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message:
        'runAs: only root may run workers as another user or group; this is user 1001, group 100: start it as root, or leave runAs out',
    });
    await server.close();
    await server.ended;
  } finally {
    for (const user of users) user.mockRestore();
  }
});
