// A program in a session: its terminal is the client's.

import { userInfo } from 'node:os';
import { systemClock, type Timer } from '@wellknown/core';
import { DRAIN_NOTICE } from '../drain-notice.ts';
import type { TelnetSession } from '../session.ts';
import { programEnvironment, type ProcessUser } from './environment.ts';
import { problemOfProgram } from './program-file.ts';
import { startWithPipes } from './pipe-program.ts';
import type { ProgramStatus, RunningProgram, StartProgram } from './program-io.ts';
import { createProgramOutput } from './program-output.ts';
import type { SpawnOptions } from './spawn-options.ts';
import { loadPty, type PtyOutcome } from './pty-program.ts';

let pty: Promise<PtyOutcome> | undefined;

/** Whether programs get pseudo-terminals in this process, or why not. Found out once. */
export const ptyAvailability = (): Promise<PtyOutcome> => (pty ??= loadPty());

/**
 * Runs the program at `file` with the session as its terminal and resolves once it has ended and its output is written.
 * No shell reads `file` or `args`; see to it yourself that nothing of the client's is among them. When the client goes,
 * the program is hung up, and killed five seconds later. Rejects, with a message that says why, when it can't be started,
 * and then nothing was written and no mode asked for; what a program that has started says is its exit status.
 */
export async function spawnInSession(
  session: TelnetSession,
  file: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<ProgramStatus> {
  const start = await starterFor(options.terminal ?? 'auto');
  const problem = await problemOfProgram(file, options.directory);
  if (problem !== undefined) throw new Error(`${file} can't be started: ${problem}`);
  await session.ready;
  const hasPty = start !== startWithPipes;
  const modeBefore = session.mode;
  // Not waited for: the program has something to say meanwhile, and a client that never answers is served too.
  if (hasPty) void session.setMode('character');
  if (options.binary === true) await session.setBinary({ receive: true, transmit: true });
  const { columns, rows } = session.terminal;
  const command = {
    file,
    arguments: args,
    environment: programEnvironment({
      own: process.env,
      user: processUser(),
      terminal: session.terminal,
      isDumb: !hasPty,
      accept: options.acceptEnvironment ?? [],
      given: options.environment ?? {},
    }),
    directory: options.directory,
    columns,
    rows,
  };
  try {
    return await run(session, start, command, options.silenceAfterInputMs ?? SILENCE_AFTER_INPUT_MS);
  } finally {
    if (hasPty && modeBefore !== 'character') void session.setMode(modeBefore);
  }
}

function processUser(): ProcessUser | undefined {
  try {
    const { username, homedir, shell } = userInfo();
    return { name: username, home: homedir, shell: shell ?? undefined };
  } catch {
    // A number that passwd(5) does not have, as in containers.
    return undefined;
  }
}

async function starterFor(terminal: 'auto' | 'pty' | 'pipes'): Promise<StartProgram> {
  if (terminal === 'pipes') return startWithPipes;
  const outcome = await ptyAvailability();
  if (outcome.available) return outcome.start;
  if (terminal === 'pty') throw new Error(`no pseudo-terminal can be had: ${outcome.reason}`);
  return startWithPipes;
}

type Command = Parameters<StartProgram>[0];

// A client that ends its half of the connection has gone, or it was a script that still wants its answers.
const SILENCE_AFTER_INPUT_MS = 5_000;

interface Attached {
  readonly program: RunningProgram;
  readonly ended: Promise<ProgramStatus>;
  /** Resolves when the program takes input again. */
  readonly drained: () => Promise<void>;
  /** No more input comes: hangs up once nothing has been written for so long. */
  readonly inputEnded: () => void;
  readonly detach: () => void;
}

// What may wait for a slow client before the program is made to wait: a few screens, so that ^C is soon seen to work.
const MAX_WAITING_BYTES = 32_768;

/** Starts it and carries its output to the session. */
function attach(session: TelnetSession, start: StartProgram, command: Command, silenceMs: number): Attached {
  let silence: Timer | undefined;
  let waitingBytes = 0;
  let paused = false;
  let notifyDrained = (): void => undefined;
  let settle: (status: ProgramStatus, error?: Error) => void = () => undefined;
  const ended = new Promise<ProgramStatus>((resolve, reject) => {
    settle = (status, error) => (error === undefined ? resolve(status) : reject(error));
  });
  let hasEnded = false;
  const output = createProgramOutput({
    addsReturns: start === startWithPipes,
    binary: () => session.binary.transmit,
  });

  const written = (length: number): void => {
    waitingBytes -= length;
    if (!paused || waitingBytes > 0) return;
    paused = false;
    program.resume();
  };
  const program = start(command, {
    output(bytes) {
      if (silence !== undefined) awaitSilence();
      const { length } = bytes;
      waitingBytes += length;
      // A session that is over takes no more, and the program is being hung up.
      session.write(output.push(bytes)).then(
        () => written(length),
        () => undefined,
      );
      if (paused || waitingBytes <= MAX_WAITING_BYTES) return;
      paused = true;
      program.pause();
    },
    drained: () => notifyDrained(),
    ended(status, error) {
      hasEnded = true;
      notifyDrained();
      settle(status, error);
    },
  });

  const hangUp = (): void => {
    if (!hasEnded) program.hangUp();
  };
  const awaitSilence = (): void => {
    silence?.cancel();
    silence = systemClock.after(silenceMs, hangUp);
  };
  session.signal.addEventListener('abort', hangUp, { once: true });
  const drain = (): void => {
    void session.write(DRAIN_NOTICE);
    hangUp();
  };
  session.draining.addEventListener('abort', drain, { once: true });
  if (session.draining.aborted) drain();
  else if (session.signal.aborted) hangUp();
  return {
    program,
    ended,
    drained: () => (hasEnded ? Promise.resolve() : new Promise<void>((resolve) => (notifyDrained = resolve))),
    inputEnded() {
      if (hasEnded) return;
      program.endInput();
      awaitSilence();
    },
    detach() {
      silence?.cancel();
      session.signal.removeEventListener('abort', hangUp);
      session.draining.removeEventListener('abort', drain);
    },
  };
}

/** Carries the client's keys, or where the client edits its lines, those. */
async function run(
  session: TelnetSession,
  start: StartProgram,
  command: Command,
  silenceMs: number,
): Promise<ProgramStatus> {
  const { program, ended, drained, inputEnded, detach } = attach(session, start, command, silenceMs);
  const offResize = session.on('resize', ({ columns, rows }) => program.resize(columns, rows));
  const input = session.raw();
  const carryInput = async (): Promise<void> => {
    const send = program.kind === 'pty' ? (bytes: Uint8Array) => program.write(bytes) : withoutTerminal(program);
    for await (const bytes of input) if (!send(bytes)) await drained();
    inputEnded();
  };
  void carryInput();
  try {
    return await ended;
  } finally {
    offResize();
    detach();
    input.close();
  }
}

const ETX = 0x03;
const EOT = 0x04;
const LF = 0x0a;
const CR = 0x0d;

/** What a terminal driver would make of the keys: the ends of lines, ^C and ^D. */
function withoutTerminal(program: RunningProgram): (bytes: Uint8Array) => boolean {
  return (bytes) => {
    if (bytes.includes(ETX)) program.interrupt();
    const hasRoom = program.write(
      bytes.filter((byte) => byte !== ETX && byte !== EOT).map((byte) => (byte === CR ? LF : byte)),
    );
    if (bytes.includes(EOT)) program.endInput();
    return hasRoom;
  };
}
