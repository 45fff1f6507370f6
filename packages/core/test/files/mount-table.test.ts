import { expect, test } from 'vitest';
import { MountTable } from '../../src/files/mount-table.ts';

test.runIf(process.platform === 'linux')('tells which directories hold a mount of another', async () => {
  const mounts = new MountTable();
  // /proc is mounted in it wherever there is a table to read.
  expect(await mounts.holdsMount('/')).toBe(true);
  expect(await mounts.holdsMount('/no/such/directory')).toBe(false);
});
