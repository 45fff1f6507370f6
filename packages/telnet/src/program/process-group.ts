// Signals for the process groups of a program that we started, and for no others: a process id may have been given to
// another process by then.

import { readFileSync } from 'node:fs';

/** A process group, known by its leader. */
export interface ProcessGroup {
  readonly id: number;
  /** When the leader was started, in the kernel's ticks; undefined where the system does not tell. */
  readonly startedAt: string | undefined;
}

/** The fields of /proc/PID/stat from the third on; undefined when there is no such process, or no /proc. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before them, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

// proc_pid_stat(5): field 8 is the foreground process group of the terminal, 22 the start time.
const FOREGROUND = 8 - 3;
const START_TIME = 22 - 3;

/** The group that `pid` leads. To be asked while it is certain whose id that is. */
export const groupOf = (pid: number): ProcessGroup => ({ id: pid, startedAt: statOf(pid)?.[START_TIME] });

/** The group in the foreground of the terminal of `leader`, when it is another one: what a shell has started. */
export function foregroundOf(leader: ProcessGroup): ProcessGroup | undefined {
  const stat = statOf(leader.id);
  if (stat?.[START_TIME] !== leader.startedAt) return undefined;
  const id = Number(stat?.[FOREGROUND] ?? -1);
  return id > 1 && id !== leader.id ? groupOf(id) : undefined;
}

/** Sends a signal to the group. Does nothing when it is no more. */
export function signalGroup(group: ProcessGroup, signal: NodeJS.Signals): void {
  // An id is not given to a new process while a group bears it: so a new leader means that the group is gone.
  const startedAt = statOf(group.id)?.[START_TIME];
  if (startedAt !== undefined && startedAt !== group.startedAt) return;
  try {
    process.kill(-group.id, signal);
  } catch {
    // No one is left in it, or they belong to another user by now.
  }
}
