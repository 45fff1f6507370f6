// A program that is run for a peer, by fork-exec (`nowait`) or by `wait`: where it is, what it is told, and how it is
// ended.

import { spawn } from 'node:child_process';
import { constants as fileConstants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import type { Address } from '../address/address.ts';
import { WellknownError } from '../errors.ts';

/** What to run. */
export interface ProgramToRun {
  /** A path, or a name that is looked up in PATH. No shell reads it. */
  readonly program: string;
  readonly arguments?: readonly string[];
  /** The user that the program runs as. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Added to this process's environment, less what speaks for this process itself. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Checked by the compiler to be all of them. */
export const PROGRAM_OPTIONS: Readonly<Record<keyof ProgramToRun, true>> = {
  program: true,
  arguments: true,
  runAs: true,
  environment: true,
};

/**
 * Where a program is. It is looked for when it is asked for, so that whether it can be run is said at the start and not
 * to the first client.
 */
export class ProgramPath {
  readonly #program: string;
  readonly #runAs: ProgramToRun['runAs'];
  #path: string;

  /** `runAs`: who is to run it. */
  constructor(program: string, runAs?: ProgramToRun['runAs']) {
    this.#program = program;
    this.#runAs = runAs;
    this.#path = program;
  }

  /** As of the last look that found it. */
  get path(): string {
    return this.#path;
  }

  /** Throws OPTION_INVALID where it is not there. */
  async find(): Promise<void> {
    this.#path = await findProgram(this.#program, this.#runAs);
  }

  /**
   * Another one may be the first in PATH by now. Throws RELOAD_FAILED where there is none any more, and the path stays.
   */
  async findAgain(): Promise<void> {
    try {
      await this.find();
    } catch (error) {
      throw new WellknownError('RELOAD_FAILED', `the path of the program stays ${this.#path}`, {
        fault: 'local',
        cause: error,
        ...(error instanceof WellknownError ? { hint: error.message } : {}),
      });
    }
  }
}

// What execvp(3) takes where there is no PATH.
const DEFAULT_PATH = '/bin:/usr/bin';

/** As execvp(3) looks: the first of PATH that can be run, where an empty folder is the current one. */
async function findProgram(program: string, runAs: ProgramToRun['runAs']): Promise<string> {
  const candidates = program.includes('/')
    ? [path.resolve(program)]
    : (process.env.PATH ?? DEFAULT_PATH).split(path.delimiter).map((folder) => path.resolve(folder, program));
  let reason: string | undefined;
  for (const candidate of candidates) {
    const problem = await problemOf(candidate, runAs);
    if (problem === undefined) return candidate;
    if (problem !== NOT_THERE) reason ??= `${candidate} ${problem}`;
  }
  throw new WellknownError(
    'OPTION_INVALID',
    `the program '${program}' is not there or cannot be run${reason === undefined ? '' : `: ${reason}`}`,
    { fault: 'local' },
  );
}

const NOT_THERE = 'is not there';

/** Why it can't be run; undefined where it can. */
async function problemOf(file: string, runAs: ProgramToRun['runAs']): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return 'is a directory';
    if (!stats.isFile()) return 'is no regular file';
    await access(file, fileConstants.X_OK);
    return runAs === undefined || (await mayRun(file, runAs)) ? undefined : `may not be run by the user ${runAs.uid}`;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return NOT_THERE;
    return code === 'EACCES' ? 'may not be run by this user (EACCES)' : `cannot be looked at (${code})`;
  }
}

/**
 * The system is asked as that user: root may run nearly everything, and folders on the way and access lists count too. True
 * where it can't be asked.
 */
function mayRun(file: string, { uid, gid }: NonNullable<ProgramToRun['runAs']>): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const shell = spawn('/bin/sh', ['-c', 'test -x "$1"', 'sh', file], { uid, gid, cwd: '/', stdio: 'ignore' });
      shell.once('error', () => resolve(true));
      shell.once('exit', (status) => resolve(status !== 1));
    } catch {
      resolve(true);
    }
  });
}

/**
 * What speaks for this process and not for a program that it runs: sd_notify(3), sd_listen_fds(3), Node's channel to its
 * parent, and the messages between our own processes.
 */
const OUR_OWN = [
  /^NOTIFY_SOCKET$/,
  /^WATCHDOG_(USEC|PID)$/,
  /^LISTEN_(PID|FDS|FDNAMES)$/,
  /^NODE_(UNIQUE_ID|CHANNEL_FD|CHANNEL_SERIALIZATION_MODE)$/,
  /^WELLKNOWN_/,
];

const environmentOfPrograms = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUR_OWN.some((own) => own.test(name))));

export interface RunningProgram {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  /** Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramEnd {
  /** By a status other than 0 or a signal, or it could not be started at all. */
  readonly failed: boolean;
  /** For a log: `status 3`, `SIGSEGV`. */
  readonly how: string;
  readonly error?: unknown;
}

/**
 * Runs it with a socket as its standard input and output; standard error is ours. `onEnd` is called once, never before
 * this returns, and tells a program that could not be started too.
 */
export function runWithSocket(
  path: string,
  what: ProgramToRun,
  socket: net.Socket | number,
  variables: Readonly<Record<string, string>>,
  onEnd: (end: ProgramEnd) => void,
): RunningProgram {
  const notStarted = (error: unknown): ProgramEnd => ({ failed: true, how: 'could not be started', error });
  try {
    const child = spawn(path, what.arguments ?? [], {
      stdio: [socket, socket, 'inherit'],
      env: { ...environmentOfPrograms(), ...what.environment, ...variables },
      ...(what.runAs === undefined ? {} : { uid: what.runAs.uid, gid: what.runAs.gid }),
    });
    let hasEnded = false;
    const end = (how: ProgramEnd): void => {
      if (!hasEnded) onEnd(how);
      hasEnded = true;
    };
    child.once('error', (error) => end(notStarted(error)));
    child.once('exit', (code, signal) => end({ failed: code !== 0, how: signal ?? `status ${code ?? 0}` }));
    return { pid: child.pid, kill: (signal) => void child.kill(signal) };
  } catch (error) {
    // Some refusals of the system are an event, others (a user that may not be changed to, too large an environment)
    // are thrown.
    queueMicrotask(() => onEnd(notStarted(error)));
    return { pid: undefined, kill: () => undefined };
  }
}

/** The variables of ucspi-tcp and ucspi-unix for one connection; TCPCONNNUM is how many its peer has open. */
export function connectionEnvironment(
  local: Address,
  remote: Address,
  connectionsOfPeer: number,
): Record<string, string> {
  if (local.family === 'unix' || remote.family === 'unix')
    return { ...listenerEnvironment('TCP', local), PROTO: 'UNIX', UNIXCONNNUM: String(connectionsOfPeer) };
  return {
    ...listenerEnvironment('TCP', local),
    TCPREMOTEIP: remote.address,
    TCPREMOTEPORT: String(remote.port),
    TCPCONNNUM: String(connectionsOfPeer),
  };
}

/** The part of them that is known before a peer has come. */
export function listenerEnvironment(protocol: 'TCP' | 'UDP', local: Address): Record<string, string> {
  if (local.family === 'unix') return { PROTO: 'UNIX', UNIXLOCALPATH: local.path };
  return { PROTO: protocol, [`${protocol}LOCALIP`]: local.address, [`${protocol}LOCALPORT`]: String(local.port) };
}
