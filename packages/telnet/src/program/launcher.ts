// Starts programs through a shell that first closes every descriptor but the three of the terminal.
//
// node-pty leaves the masters of its pseudo-terminals open in whatever this process starts later: they lack FD_CLOEXEC, and
// nothing that JavaScript can call sets it. The program of one user could read the terminal of another, and type into it; and
// closing a master would hang up nothing while another program holds a copy.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { ProgramCommand } from './program-io.ts';

// Not every `sh` will do: dash takes no descriptor of two digits.
const SHELLS = ['/bin/sh', '/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'];
const CLOSE_OTHERS = 'for fd in /dev/fd/*; do fd=${fd##*/}; case $fd in [012]) ;; *) eval "exec $fd>&-" ;; esac; done';
// What a shell adds to the environment is not the program's.
const SCRIPT = `${CLOSE_OTHERS}; unset fd SHLVL OLDPWD PWD; exec "$@"`;

let shell: string | undefined;

/** Looks for a shell that can do it; false where there is none. From then on `closingOthers` goes through it. */
export function findLauncher(): boolean {
  shell ??= SHELLS.find(
    (file) => spawnSync(file, ['-c', `exec 25>&- && ${SCRIPT}`, 'sh', file, '-c', 'exit 7'], { env: {} }).status === 7,
  );
  return shell !== undefined;
}

/**
 * The command that becomes `command` with no descriptor of ours. The same command where there are no pseudo-terminals, and
 * where it can't be run: who starts it is to hear of that, not a shell.
 */
export const closingOthers = <Command extends Pick<ProgramCommand, 'file' | 'arguments' | 'directory'>>(
  command: Command,
): Command =>
  shell === undefined || !canRun(command.file, command.directory)
    ? command
    : { ...command, file: shell, arguments: ['-c', SCRIPT, 'sh', command.file, ...command.arguments] };

/** Of a name without a folder that is not known: it is looked for in PATH. */
function canRun(file: string, directory: string | undefined): boolean {
  if (!file.includes('/')) return true;
  try {
    accessSync(path.resolve(directory ?? '.', file), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
