// Standard error as a place for lines that can fail and may be slow: a line arrives whole or not at all, waits in memory
// for a reader that is slow, and is counted and given up when too many wait. Nothing here blocks or ends the process.
//
// What writes is pino's destination. It keeps what could not be written and begins with it at the next write; the lines
// that come meanwhile wait here, since each try that fails costs a hundred times what a line does.

import fs from 'node:fs';
import net from 'node:net';
import { codeOf } from '../errors.ts';
import { forgetLastStat } from '../kernel/last-stat.ts';
import { keepFromBlocking } from '../kernel/output-handle.ts';
import { MAX_WRITE_BYTES, WaitingLines } from '../observe/waiting-lines.ts';

const RETRY_MS = 20;
// At the end of the process: as long as the reader takes something within this time, it gets the rest.
const LAST_WAIT_MS = 300;
const LAST_STEP_MS = 10;

interface DestinationOptions {
  readonly fd: number;
  readonly sync: boolean;
  readonly minLength: number;
  readonly maxWrite: number;
  readonly retryEAGAIN: () => boolean;
}

interface Destination {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of pino that writes. */
export interface DestinationLibrary {
  readonly destination: (options: DestinationOptions) => Destination;
}

export interface LineOutput {
  /** Takes one line with its line feed. Never throws. */
  readonly write: (line: string) => void;
}

/** Standard error of this process. */
export const openStandardError = (
  library: DestinationLibrary,
  onLost: (count: number) => void,
): LineOutput & {
  /** It is a terminal that shows colours. */
  readonly hasColours: boolean;
} => ({
  ...linesOnStandardError(library, onLost),
  hasColours: process.stderr.isTTY && process.stderr.hasColors(),
});

/**
 * Lines to a descriptor that does not block. `onLost` is told how many were given up, once all that waited has been
 * written. `beforeWrite` is for one that something else may make block.
 */
export function openLineOutput(
  library: DestinationLibrary,
  descriptor: number,
  onLost: (count: number) => void,
  beforeWrite?: () => void,
): LineOutput {
  const destination = library.destination({
    fd: descriptor,
    // Straight away, as far as it goes: the last line before a crash is the one that is looked for.
    sync: true,
    minLength: 0,
    maxWrite: MAX_WRITE_BYTES,
    // Waiting would block the process.
    retryEAGAIN: () => false,
  });
  // pino puts a write that does nothing in its place after an EPIPE; the reader of a named pipe may come back.
  const writeOn = destination.write.bind(destination);
  const write = (text: string): void => {
    beforeWrite?.();
    writeOn(text);
  };
  const waiting = new WaitingLines();
  let lost = 0;
  let failure: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  destination.on('error', (error) => {
    failure = codeOf(error);
    retry ??= setTimeout(goOn, RETRY_MS).unref();
  });
  const goOn = (): void => {
    clearTimeout(retry);
    retry = undefined;
    failure = undefined;
    // What failed is with the destination, which begins with it.
    for (let text: string | undefined = ''; text !== undefined; text = isFailing() ? undefined : waiting.take())
      write(text);
    if (isFailing() || lost === 0) return;
    const count = lost;
    lost = 0;
    onLost(count);
  };
  const isFailing = (): boolean => failure !== undefined;
  process.on('exit', () => {
    for (let waitedMs = 0; isFailing() && waitedMs < LAST_WAIT_MS; waitedMs += LAST_STEP_MS) {
      const before = waiting.bytes;
      goOn();
      if (isFailing() && failure !== 'EAGAIN') return;
      if (waiting.bytes < before) waitedMs = 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_STEP_MS);
    }
  });
  return {
    write(line) {
      if (!isFailing()) write(line);
      else if (!waiting.add(line)) lost += 1;
    },
  };
}

const STDERR = 2;

/**
 * A pipe is opened once more: what is set for the first opening is shared with all processes that have it. Of a socket, or a
 * pipe that this user may not open, the shared one is asked for, which makes it non-blocking; but libuv puts that back with
 * each process that it starts, and Node where one ends. So it is set again before each write.
 */
function linesOnStandardError(library: DestinationLibrary, onLost: (count: number) => void): LineOutput {
  const own = ownPipe();
  if (own !== undefined) return openLineOutput(library, own, onLost);
  const { stderr } = process;
  const isShared = stderr instanceof net.Socket && !stderr.isTTY;
  return openLineOutput(library, stderr.fd, onLost, isShared ? () => keepFromBlocking(stderr) : undefined);
}

function ownPipe(): number | undefined {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = fs.constants;
  try {
    if (fs.fstatSync(STDERR).isFIFO()) return fs.openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch {
    // Its reader has gone, or it belongs to another user.
  } finally {
    forgetLastStat();
  }
  return undefined;
}

let isGuarded = false;

/**
 * From now on a standard output or error whose reader has gone costs what was to be written there, and not the process.
 * Node's streams raise such an error as an event that ends a process that does not listen to it.
 */
export function surviveClosedOutput(): void {
  if (isGuarded) return;
  isGuarded = true;
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
