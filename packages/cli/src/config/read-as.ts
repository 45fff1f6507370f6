// Who checks a configuration as root may read what the user of runAs may not, and only that user's processes would find out.
// So a process of that user is asked.

import { spawnSync } from 'node:child_process';
import type { Identity } from '@wellknown/core';

// For every file a code, or nothing. A directory has to be entered too.
const ASK = `
const { accessSync, constants, statSync } = require('node:fs');
const codeOf = (file) => {
  try {
    accessSync(file, constants.R_OK | (statSync(file).isDirectory() ? constants.X_OK : 0));
  } catch ({ code }) {
    return code;
  }
};
process.stdout.write(JSON.stringify(JSON.parse(process.argv[1]).map((file) => codeOf(file) ?? '')));
`;

/** Which of the files this user and group may not read. None where that can't be asked: then the start tells. */
export function unreadableAs({ uid, gid }: Identity, files: readonly string[]): readonly string[] {
  // What others give Node to begin with may be closed to that user too.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const asked = spawnSync(process.execPath, ['-e', ASK, JSON.stringify(files)], { uid, gid, env, encoding: 'utf8' });
  if (asked.status !== 0) return [];
  const codes = JSON.parse(asked.stdout) as readonly string[];
  return files.filter((_file, index) => codes[index] === 'EACCES');
}
