// Signals for the process groups of a program that we started, and for no others: a process id may have been given to
// another process by then.

import { readFileSync } from 'node:fs';
import type { Clock } from '@wellknown/core';
import { forgetGroup, KILL_AFTER_MS, watchGroup, type ProcessGroup } from './guard.ts';

/** The fields of /proc/PID/stat from the third on; undefined when there is no such process, or no /proc. */
function statOf(pid: number | string): readonly string[] | undefined {
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

const groupOf = (pid: number): ProcessGroup => ({ id: pid, startedAt: statOf(pid)?.[START_TIME] });

/** The group in the foreground of the terminal of `leader`, when it is another one: what a shell has started. */
function foregroundOf(leader: ProcessGroup): ProcessGroup | undefined {
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

/** A program that runs: its own group, and the one in the foreground of its terminal. */
export interface ProgramGroups {
  readonly leader: ProcessGroup;
  /** SIGHUP, and SIGKILL to what is left after `KILL_AFTER_MS`, whether this process is still there or not. */
  hangUp(clock: Clock): void;
  /** The program has ended: what it has left in the background goes on, unless it was hung up. */
  ended(): void;
}

const running = new Set<ProcessGroup>();

/** The groups of the program that `pid` leads. To be asked while it is certain whose id that is. */
export function programGroups(pid: number): ProgramGroups {
  const leader = groupOf(pid);
  let isHungUp = false;
  running.add(leader);
  watchGroup(leader);
  // Once, however many programs there are.
  process.off('exit', hangUpAll).on('exit', hangUpAll);
  return {
    leader,
    hangUp(clock) {
      if (isHungUp) return;
      isHungUp = true;
      running.delete(leader);
      const groups = hangUpGroups(leader);
      clock.after(KILL_AFTER_MS, () => {
        for (const group of groups) {
          signalGroup(group, 'SIGKILL');
          forgetGroup(group);
        }
      });
    },
    ended() {
      if (running.delete(leader)) forgetGroup(leader);
    },
  };
}

/** SIGHUP to the group and the one in the foreground of its terminal. Returns both. */
function hangUpGroups(leader: ProcessGroup): readonly ProcessGroup[] {
  const groups = [leader, foregroundOf(leader)].filter((group) => group !== undefined);
  for (const group of groups) {
    watchGroup(group);
    signalGroup(group, 'SIGHUP');
  }
  return groups;
}

/** At the exit: the guard does the rest, and knows then what is in the foreground. */
function hangUpAll(): void {
  for (const leader of running) hangUpGroups(leader);
}
