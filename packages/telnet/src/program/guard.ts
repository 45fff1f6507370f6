// Ends the programs that outlive this process, however it ends: an exit runs no timer, and SIGKILL nothing at all. A
// shell holds the list of their groups, and waits at the other end of a pipe for the end of this process.

import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { closingOthers } from './launcher.ts';

/** A process group, known by its leader. */
export interface ProcessGroup {
  readonly id: number;
  /** When the leader was started, in the kernel's ticks; undefined where the system does not tell. */
  readonly startedAt: string | undefined;
}

/** Between the hang-up and the kill: what a shell needs to write its history, and an editor to save. */
export const KILL_AFTER_MS = 5_000;

// A leader with another start time is a new process, so the group is gone: as in signalGroup of process-group.ts. The
// start time is field 22 of proc_pid_stat(5), the 20th behind the name, which may hold line feeds.
// Variables are the one table that a shell has: a list would be walked for each line.
const SCRIPT = `trap '' HUP INT QUIT TERM
while read -r sign id started; do
  if [ "$sign" = + ]; then eval "group_$id=$started"; else unset "group_$id"; fi
done
groups=$(set | sed -n "s/^group_\\([0-9]*\\)='\\{0,1\\}\\([0-9]*\\).*/\\1:\\2/p")
send() {
  found=1
  signal=$1
  for each in $groups; do
    id=\${each%%:*}
    if [ -r "/proc/$id/stat" ]; then
      stat=
      while read -r part; do stat="$stat $part"; done <"/proc/$id/stat"
      set -- \${stat##*) }
      if [ "\${20}" != "\${each#*:}" ]; then continue; fi
    fi
    if kill -s "$signal" -- "-$id"; then found=0; fi
  done
  return $found
}
send HUP
for second in ${'x '.repeat(KILL_AFTER_MS / 1000)}; do
  send 0 || exit 0
  sleep 1
done
send KILL`;

/** By id, what is told to a guard that has to be started anew. */
const watched = new Map<number, ProcessGroup>();
let guard: ChildProcess | undefined;

const lineFor = (sign: '+' | '-', { id, startedAt }: ProcessGroup): string => `${sign} ${id} ${startedAt ?? ''}\n`;

function start(): ChildProcess {
  const { file, arguments: args } = closingOthers({ file: '/bin/sh', arguments: ['-c', SCRIPT] });
  const child: ChildProcess = spawn(file, args, {
    env: { PATH: `${process.env.PATH ?? ''}:/usr/bin:/bin` },
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // It gets no signal that the terminal of this process sends to all.
    detached: true,
  });
  child.unref();
  // Where it can't be started, or somebody has ended it, the next group asks for another.
  const forget = (): void => {
    if (guard === child) guard = undefined;
  };
  child.on('error', forget);
  child.on('exit', forget);
  // Undefined where no descriptor is left for it. A pipe of a child is a socket.
  const input = child.stdin as Socket | undefined;
  input?.on('error', forget);
  input?.unref();
  for (const group of watched.values()) input?.write(lineFor('+', group));
  return child;
}

function tell(sign: '+' | '-', group: ProcessGroup): void {
  if (guard === undefined) guard = start();
  else guard.stdin?.write(lineFor(sign, group));
}

/** From now on the group is hung up and killed when this process has ended. */
export function watchGroup(group: ProcessGroup): void {
  if (process.platform === 'win32') return;
  watched.set(group.id, group);
  tell('+', group);
}

/** The group is none of ours any more. Does nothing where its id is another group's by now, which is watched too. */
export function forgetGroup(group: ProcessGroup): void {
  if (watched.get(group.id) !== group) return;
  watched.delete(group.id);
  tell('-', group);
}
