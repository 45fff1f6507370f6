// A program with pipes for its input and output, where there are no pseudo-terminals. It is no terminal: programs that
// ask (isatty) write whole blocks, and show no prompt.

import { spawn } from 'node:child_process';
import { systemClock } from '@wellknown/core';
import { closingOthers } from './launcher.ts';
import { programGroups, signalGroup } from './process-group.ts';
import type { ProgramStatus, RunningProgram, StartProgram } from './program-io.ts';

/** Starts a program in a process group of its own. */
export const startWithPipes: StartProgram = (given, events) => {
  const command = closingOthers(given);
  const child = spawn(command.file, [...command.arguments], {
    env: { ...command.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...(command.directory === undefined ? {} : { cwd: command.directory }),
  });
  const { pid } = child;
  const groups = pid === undefined ? undefined : programGroups(pid);
  const outputs = [child.stdout, child.stderr];
  let over = false;

  const end = (status: ProgramStatus, error?: Error): void => {
    if (over) return;
    over = true;
    groups?.ended();
    events.ended(status, error);
  };
  child.on('error', (error) => end({ exitCode: undefined, signal: undefined }, error));
  // Without descriptors for its pipes Node gives none.
  if (outputs.includes(undefined as never)) throw new Error(`${given.file} can't be started: no descriptors are left`);
  for (const stream of outputs) {
    stream.on('data', (bytes: Buffer) => {
      if (!over) events.output(bytes);
    });
  }
  child.stdin.on('drain', () => {
    if (!over) events.drained();
  });
  // It may have closed its input; what happens is said by its end.
  child.stdin.on('error', () => undefined);
  // After the end of both outputs.
  child.on('close', (exitCode, signal) => end({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));

  const program: RunningProgram = {
    kind: 'pipes',
    pid: pid ?? 0,
    write: (bytes) => over || child.stdin.destroyed || child.stdin.write(bytes),
    pause() {
      for (const stream of outputs) stream.pause();
    },
    resume() {
      for (const stream of outputs) stream.resume();
    },
    resize: () => undefined,
    endInput: () => void child.stdin.end(),
    interrupt() {
      if (groups !== undefined && !over) signalGroup(groups.leader, 'SIGINT');
    },
    hangUp() {
      groups?.hangUp(systemClock);
      child.stdin.destroy();
      for (const stream of outputs) stream.destroy();
    },
  };
  return program;
};
