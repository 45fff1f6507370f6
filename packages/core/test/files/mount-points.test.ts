import { expect, test } from 'vitest';
import { mountPointsOf } from '../../src/files/mount-points.ts';

// Lines as proc_pid_mountinfo(5) has them.
const TABLE = String.raw`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
37 35 0:40 / /srv/my\040files rw - nfs4 server:/export rw
38 35 0:41 / /srv/back\134slash rw shared:2 - fuse.sshfs host: rw
`;

test('the places that something is mounted on, with the letters that the table spells in octal', () => {
  expect(mountPointsOf(TABLE)).toEqual(['/mnt2', '/srv/my files', '/srv/back\\slash']);
});

test.each([
  ['an empty table', '', []],
  ['lines that are cut', '36 35 98:0\n36 35 98:0 / /a', ['/a']],
])('%s', (_, text, points) => {
  expect(mountPointsOf(text)).toEqual(points);
});
