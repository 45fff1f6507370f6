// After the tests of a run: a program that a test started and did not stop goes on for ever, takes CPU from all runs to
// come, and nothing else would show it.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../packages/core/src/testing/eventually.ts';
import { bundleOf } from './programs.ts';

// A program that was told to end may still drain.
const GRACE_MS = 10_000;

/** Rejects when programs of this run are still there, and ends them. Looks on Linux only. */
export async function expectNoLeftovers(): Promise<void> {
  try {
    await eventually(() => leftovers().length === 0, { timeoutMs: GRACE_MS });
  } catch {
    const left = leftovers();
    for (const { pid } of left) endIfThere(pid);
    // vitest prints what a teardown throws, and would exit with 0.
    process.exitCode = 1;
    throw new Error(
      `tests have left programs behind:\n${left.map(({ pid, command }) => `${pid} ${command}`).join('\n')}`,
    );
  }
}

function leftovers(): { readonly pid: number; readonly command: string }[] {
  if (process.platform !== 'linux') return [];
  const folder = path.dirname(bundleOf('any.ts'));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandOf(name) }))
    .filter(({ command }) => command.includes(folder));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
