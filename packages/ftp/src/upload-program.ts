// A program that is run for each upload that was stored: what pure-uploadscript and mod_exec are for.
//
// It is told everything by its environment and its one argument, never by a shell. An upload is answered once its program has
// been started: when many run at the same time the next clients wait, so that there is no queue that an end of this process
// could lose.

import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Logger, Protocol, ServiceContext } from '@wellknown/core';
import { nameForSystem } from './charset.ts';
import type { Caller, FileSystem, WriteOptions } from './file-system.ts';
import type { AbsolutePath } from './path.ts';
import { aroundTarget, BEYOND_READING, passed } from './storage/wrap.ts';

/** Programs at the same time in one process; each may take a processor. */
export const MAX_UPLOAD_PROGRAMS = 8;
/** What takes longer starts a process of its own. */
const MAX_PROGRAM_MS = 300_000;
const LAST_WORDS_MS = 1_000;
/** Of what a program that has failed says. */
const MAX_WORDS_BYTES = 2_048;

// A password of an account may stand in ours.
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** Why a file can't be run, in a few words; undefined where nothing is known against it. */
export async function problemOfProgram(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return 'it is not a regular file';
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'this user may not run it' : code;
  }
}

interface StoredUpload {
  /** On the disk. */
  readonly file: string;
  /** As the user sees it. */
  readonly path: AbsolutePath;
  readonly how: WriteOptions['mode'];
  /** That have come. */
  readonly bytes: number;
  readonly caller: Caller | undefined;
}

export class UploadProgram {
  readonly #program: string;
  readonly #log: Logger;
  #running = 0;
  #context: ServiceContext | undefined;
  readonly #waiting: (() => void)[] = [];

  /** `program`: its path. */
  constructor(program: string, log: Logger) {
    this.#program = program;
    this.#log = log;
  }

  /** The same protocol, whose drains wait for the programs that run. */
  around(protocol: Protocol): Protocol {
    const { open } = protocol;
    if (open === undefined) return protocol;
    return {
      ...protocol,
      open: (connection, context) => {
        this.#context = context;
        return open(connection, context);
      },
    };
  }

  /** The files under `directory`, whose uploads the program is run for. */
  for(inner: FileSystem, directory: string): FileSystem {
    const { write, ...others } = passed(inner, ...BEYOND_READING);
    if (write === undefined) return inner;
    return {
      ...others,
      stat: (at, more) => inner.stat(at, more),
      list: (at, more) => inner.list(at, more),
      read: (at, more) => inner.read(at, more),
      write: async (at, more) => {
        const opened = await write(at, more);
        if (!opened.ok) return opened;
        let bytes = 0;
        const target = aroundTarget(opened.value, {
          write(chunks, go) {
            for (const chunk of chunks) bytes += chunk.length;
            return go();
          },
          commit: async (go) => {
            const done = await go();
            const { mode: how, caller } = more;
            if (done.ok) await this.#start({ file: path.join(directory, at), path: at, how, bytes, caller });
            return done;
          },
        });
        return { ok: true, value: target };
      },
    };
  }

  /** Resolves once the program runs, or can't. Never rejects. */
  async #start(upload: StoredUpload): Promise<void> {
    // Node takes an argument as text, in which bytes that are no UTF-8 would become others.
    if (typeof nameForSystem(upload.file) !== 'string') {
      this.#log.warn({ path: upload.path }, 'no program was run for an upload: its name is no UTF-8');
      return;
    }
    while (this.#running >= MAX_UPLOAD_PROGRAMS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    this.#run(upload);
  }

  #run({ file, path: at, how, bytes, caller }: StoredUpload): void {
    const child = spawn(this.#program, [file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: MAX_PROGRAM_MS,
      killSignal: 'SIGKILL',
      env: {
        ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
        UPLOAD_PATH: at,
        // STOR of who may only make new files is a `create` as STOU is.
        UPLOAD_HOW: how === 'append' ? 'append' : 'store',
        UPLOAD_BYTES: String(bytes),
        UPLOAD_USER: caller?.user,
        UPLOAD_ADDRESS: caller?.remoteAddress,
        UPLOAD_SECURE: caller?.secure === true ? '1' : '0',
      },
    });
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (words.length < MAX_WORDS_BYTES) words += chunk.toString('utf8').slice(0, MAX_WORDS_BYTES - words.length);
    });
    child.stderr.on('error', () => undefined);
    const over = new Promise<object | undefined>((resolve) => {
      child.once('error', (error) => resolve({ err: error }));
      child.once('exit', (status, signal) => {
        if (status === 0) resolve(undefined);
        // Its last words may still be on their way; one that it has started itself may hold the pipe for ever.
        const failed = (): void => resolve({ status, signal, said: words.trim() || undefined });
        child.once('close', failed);
        setTimeout(failed, LAST_WORDS_MS).unref();
      });
    }).then((failure) => {
      this.#running -= 1;
      this.#waiting.shift()?.();
      if (failure !== undefined)
        this.#log.error({ program: this.#program, file, ...failure }, 'the program for an upload has failed');
    });
    this.#context?.work.add(over);
  }
}
