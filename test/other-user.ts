// Tests that drop privileges need a user to drop to, who may run this Node and read the program.

import { spawnSync } from 'node:child_process';

const OTHER_USER = 65_534;

/**
 * Why this process can't start `program` (a bundle) as another user; undefined when it can. A Node or a checkout that
 * lies in a home folder is closed to others.
 */
export function lacksOtherUser(program: string): string | undefined {
  const may =
    process.getuid?.() === 0 &&
    spawnSync(process.execPath, ['-e', `require('node:fs').readFileSync(${JSON.stringify(program)})`], {
      uid: OTHER_USER,
      gid: OTHER_USER,
    }).status === 0;
  return may ? undefined : 'dropping privileges needs root, and a Node and a checkout that others may read';
}
