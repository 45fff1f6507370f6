// Programs on pseudo-terminals for tests.

import { onTestFinished } from 'vitest';
import { loadPty } from '../src/program/pty-program.ts';
import type { ProgramCommand, ProgramStatus, RunningProgram, StartProgram } from '../src/program/program-io.ts';

const pty = await loadPty();
/** Why there are no pseudo-terminals here; undefined where there are. */
export const NO_PTY = pty.available ? undefined : pty.reason;

export function startPty(): StartProgram {
  if (!pty.available) throw new Error(pty.reason);
  return pty.start;
}

export interface Watched {
  readonly program: RunningProgram;
  /** What it has written, as latin1. */
  readonly output: string;
  readonly ended: Promise<ProgramStatus>;
  readonly hasEnded: boolean;
  /** How often it has said that it takes input again. */
  readonly drained: number;
}

/** Runs a shell script, and hangs up at the end of the test. */
export function watch(start: StartProgram, script: string, command: Partial<ProgramCommand> = {}): Watched {
  let output = '';
  let hasEnded = false;
  let drained = 0;
  let resolve: (status: ProgramStatus) => void;
  const ended = new Promise<ProgramStatus>((settle) => (resolve = settle));
  const program = start(
    {
      file: '/bin/sh',
      arguments: ['-c', script],
      environment: { PATH: '/usr/bin:/bin', TERM: 'vt100' },
      columns: 80,
      rows: 24,
      ...command,
    },
    {
      output: (bytes) => (output += Buffer.from(bytes).toString('latin1')),
      drained: () => (drained += 1),
      ended: (status) => {
        hasEnded = true;
        resolve(status);
      },
    },
  );
  onTestFinished(() => program.hangUp());
  return {
    program,
    ended,
    get output() {
      return output;
    },
    get drained() {
      return drained;
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}
