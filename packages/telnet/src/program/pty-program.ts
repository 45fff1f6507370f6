// A program on a pseudo-terminal, by `@lydell/node-pty`: an optional peer, loaded when the first program wants one.
//
// node-pty alone loses output, in two ways that are mended here (pty-input.ts mends its input, launcher.ts what
// programs inherit). It destroys its stream 200 ms after the exit of the program, whatever a slow client has not taken
// by then. And libuv takes a hang-up for the end when it comes with a read that did not fill its buffer, which on a PTY
// is every read: up to what the kernel holds is then still to be read.

import { readSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { systemClock, type Clock, type Timer } from '@wellknown/core';
import { closingOthers, findLauncher } from './launcher.ts';
import { createPtyInput } from './pty-input.ts';
import { KILL_AFTER_MS } from './guard.ts';
import { programGroups } from './process-group.ts';
import type { ProgramCommand, ProgramEvents, ProgramStatus, RunningProgram, StartProgram } from './program-io.ts';

/** The parts of the module that are used, and of what it does not document. */
interface NodePty {
  spawn(
    file: string,
    args: string[],
    options: {
      readonly name: string;
      readonly cols: number;
      readonly rows: number;
      readonly cwd: string;
      readonly env: Record<string, string>;
      readonly encoding: null;
    },
  ): Terminal;
}
interface Terminal {
  readonly pid: number;
  /** Not documented. The master's end. */
  readonly fd?: unknown;
  /** Not documented. The stream over it. */
  readonly _socket?: unknown;
  onExit(listener: (event: { readonly exitCode: number; readonly signal?: number }) => void): unknown;
  resize(columns: number, rows: number): void;
}

// After the exit the kernel hangs up the terminal, which ends the output. Where it does not, silence of this length does.
const SILENCE_AFTER_EXIT_MS = 1_000;
// Larger than what the kernel keeps of a PTY's output.
const REST_BYTES = 65_536;
// A PTY gives at most this much to one read, and libuv one read to each turn of its loop. A busy program has more.
const FULL_READ_BYTES = 4_095;
const BATCH_BYTES = 65_536;
const SLAB_BYTES = 1024 * 1024;
const END_OF_INPUT = Uint8Array.of(0x04);
const INTERRUPT = Uint8Array.of(0x03);

/** Starts programs on pseudo-terminals of `module`. Throws when the module is another than this file knows. */
function starterOf(module: NodePty, clock: Clock): StartProgram {
  return (command, events) => runOnPty(spawn(module, command), events, clock);
}

interface Spawned {
  readonly terminal: Terminal;
  readonly stream: ReadStream;
  readonly fd: number;
}

function spawn(module: NodePty, given: ProgramCommand): Spawned {
  const command = closingOthers(given);
  const { TERM = 'dumb' } = command.environment;
  const terminal = module.spawn(command.file, [...command.arguments], {
    name: TERM,
    cols: command.columns,
    rows: command.rows,
    cwd: command.directory ?? process.cwd(),
    env: { ...command.environment },
    encoding: null,
  });
  const { _socket: stream, fd } = terminal;
  if (!(stream instanceof ReadStream) || typeof fd !== 'number')
    throw new Error('this version of @lydell/node-pty is not known: its stream is missing');
  return { terminal, stream, fd };
}

function runOnPty({ terminal, stream, fd }: Spawned, events: ProgramEvents, clock: Clock): RunningProgram {
  const groups = programGroups(terminal.pid);
  let over = false;
  /** The stream may be destroyed. */
  let released = false;
  let silence: Timer | undefined;
  let isHungUp = false;

  const destroy = stream.destroy.bind(stream);
  const release = (): void => {
    released = true;
    input.close();
    destroy();
  };
  /** From the exit on: ends the output when none comes, but not while no one reads. */
  const endWhenSilent = (): void => {
    silence?.cancel();
    silence = clock.after(SILENCE_AFTER_EXIT_MS, () => (stream.isPaused() ? endWhenSilent() : release()));
  };
  stream.destroy = (error?: Error) => {
    if (error !== undefined || released || stream.readableEnded) return destroy(error);
    // This is node-pty's timer after the exit.
    endWhenSilent();
    return stream;
  };

  stream.on('data', (bytes: Buffer) => {
    if (silence !== undefined) endWhenSilent();
    if (!over) events.output(bytes.length < FULL_READ_BYTES ? bytes : withMore(bytes, fd));
  });
  stream.on('end', () => {
    for (const bytes of restOf(fd)) if (!over) events.output(bytes);
  });
  const input = createPtyInput(fd, clock, events.drained);

  const end = (status: ProgramStatus): void => {
    silence?.cancel();
    if (over) return;
    over = true;
    input.close();
    groups.ended();
    events.ended(status);
  };
  terminal.onExit(({ exitCode, signal }) => end(statusOf(exitCode, signal)));
  // The program has closed its terminal and may live on, or it was hung up and may take its time for that. Its status comes
  // at once if it has one.
  stream.on('close', () => {
    input.close();
    silence?.cancel();
    const waitMs = isHungUp ? KILL_AFTER_MS + SILENCE_AFTER_EXIT_MS : SILENCE_AFTER_EXIT_MS;
    silence = clock.after(waitMs, () => end({ exitCode: undefined, signal: undefined }));
  });

  const write = (bytes: Uint8Array): boolean => {
    // The descriptor may be another file's once the stream has closed.
    return over || stream.destroyed || input.write(bytes);
  };

  return {
    kind: 'pty',
    pid: terminal.pid,
    write,
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    resize(columns, rows) {
      if (stream.destroyed || columns < 1 || rows < 1) return;
      try {
        terminal.resize(columns, rows);
      } catch {
        // The kernel has closed the other end.
      }
    },
    endInput: () => void write(END_OF_INPUT),
    interrupt: () => void write(INTERRUPT),
    hangUp() {
      isHungUp = true;
      groups.hangUp(clock);
      release();
    },
  };
}

const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

const statusOf = (exitCode: number, signal: number | undefined): ProgramStatus =>
  signal === undefined || signal === 0
    ? { exitCode, signal: undefined }
    : { exitCode: undefined, signal: SIGNAL_NAMES[signal] ?? `signal ${signal}` };

/** Where batches are read to, one behind the other: an allocation for each would be most of what they cost. */
let slab = new Uint8Array(0);
let slabAt = 0;

/** `first`, and what else can be read at once: a fraction of the system calls, and one write for all. */
function withMore(first: Uint8Array, fd: number): Uint8Array {
  if (slab.length - slabAt < BATCH_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabAt = 0;
  }
  const from = slabAt;
  slab.set(first, from);
  let to = from + first.length;
  while (to - from < BATCH_BYTES) {
    const more = readOrNone(fd, slab, to, from + BATCH_BYTES - to);
    to += more;
    // Less than it could give: there is no more for now.
    if (more < FULL_READ_BYTES) break;
  }
  slabAt = to;
  return slab.subarray(from, to);
}

/** 0 where nothing is there for now, and at the end. */
function readOrNone(fd: number, into: Uint8Array, offset: number, byteLength: number): number {
  try {
    return readSync(fd, into, offset, byteLength, null);
  } catch {
    // EAGAIN; or EIO, which is the end of a PTY.
    return 0;
  }
}

/** What the kernel still holds after the other end was closed. The descriptor does not block. */
function* restOf(fd: number): Generator<Uint8Array> {
  for (;;) {
    const buffer = Buffer.allocUnsafe(REST_BYTES);
    const length = readOrNone(fd, buffer, 0, REST_BYTES);
    if (length === 0) return;
    yield buffer.subarray(0, length);
  }
}

/** What `loadPty` found: how programs are started, or in a few words why not. */
export type PtyOutcome =
  { readonly available: true; readonly start: StartProgram } | { readonly available: false; readonly reason: string };

/**
 * Loads node-pty and tries it once, so that it is known before the first session whether there are pseudo-terminals: a
 * binary for another C library fails in ways that are no exception.
 */
export async function loadPty(clock: Clock = systemClock): Promise<PtyOutcome> {
  if (process.platform === 'linux' && !hasGlibc())
    return { available: false, reason: 'the binaries of @lydell/node-pty need glibc, which this system does not have' };
  try {
    const loaded = (await import('@lydell/node-pty')) as unknown as { readonly default?: NodePty } & Partial<NodePty>;
    const module = loaded.default ?? loaded;
    if (!isNodePty(module)) return { available: false, reason: '@lydell/node-pty has no spawn' };
    if (!findLauncher()) return { available: false, reason: 'there is no shell that closes descriptors: install bash' };
    const start = starterOf(module, clock);
    await tryOnce(start);
    return { available: true, start };
  } catch (error) {
    const [reason = 'unknown'] = (error instanceof Error ? error.message : String(error)).split('\n');
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    return { available: false, reason: isMissing ? '@lydell/node-pty is not installed' : reason };
  }
}

const isNodePty = (module: Partial<NodePty>): module is NodePty => typeof module.spawn === 'function';

function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** Rejects where a program on a PTY can't be run, such as where /dev/pts is not mounted. */
const tryOnce = (start: StartProgram): Promise<void> =>
  new Promise((resolve, reject) => {
    start(
      { file: '/bin/sh', arguments: ['-c', 'exit 0'], environment: {}, columns: 80, rows: 24 },
      {
        output: () => undefined,
        drained: () => undefined,
        ended: ({ exitCode }) =>
          exitCode === 0 ? resolve() : reject(new Error('a trial program on a pseudo-terminal has failed')),
      },
    );
  });
