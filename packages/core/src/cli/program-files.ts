// The files that name a running server: its pid file and its control socket. They belong to the process that runs. A
// predecessor that has handed its sockets over leaves them alone from then on, for its successor writes them at any
// moment; every other end removes them, and only while they are still the ones that this process wrote.

import { constants, existsSync, readFileSync, unlinkSync } from 'node:fs';
import { access, rename, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { openControlSocket, type ControlSocket } from '../control/server.ts';
import { WellknownError } from '../errors.ts';
import { fileProblem } from '../files/file-problem.ts';
import type { Logger } from '../log.ts';
import { withVerbs, type Server } from '../server.ts';

export interface ProgramFilesOptions {
  readonly pidFile: string | undefined;
  /** The path of the control socket that was asked for. */
  readonly control: string | undefined;
  /** Where the control socket is opened without being asked for; another program's there is left alone. */
  readonly controlIfFree: string | undefined;
  /** This process inherited its sockets: its predecessor ends, so nothing that fails here may end this one. */
  readonly isSuccessor: boolean;
  readonly log: Logger;
}

// A successor writes it some milliseconds after it is ready. One that can't says so in the log: the answer waits no longer.
const TAKE_OVER_PAUSE_MS = 20;
const TAKE_OVER_TRIES = 100;

export class ProgramFiles {
  readonly #options: ProgramFilesOptions;
  #writing: Promise<void> = Promise.resolve();
  #removed: Promise<unknown> = Promise.resolve();
  #hasSuccessor = false;
  #takenOver: Promise<void> = Promise.resolve();
  #controlSocket: ControlSocket | undefined;
  /** Opens the control socket once more. */
  #reopenControl: (file: string) => Promise<void> = () => Promise.resolve();

  constructor(options: ProgramFilesOptions) {
    this.#options = options;
  }

  /** Said before anything is bound: rejects with OPTION_INVALID where the pid file can't be written. */
  async check(): Promise<void> {
    const { pidFile } = this.#options;
    if (pidFile === undefined) return;
    const here = await stat(pidFile).catch(() => undefined);
    if (here?.isDirectory() === true) throw pidFileProblem(pidFile, "can't be written: it is a folder");
    await access(path.dirname(pidFile), constants.W_OK).catch((error: unknown) => {
      throw pidFileProblem(pidFile, fileProblem('written', error), error);
    });
  }

  /** Once `server` accepts. They are removed as it ends. */
  write(server: Server): Promise<void> {
    this.#writing = this.#write(server);
    return this.#writing;
  }

  /** The files of this process are there or have failed: a successor that starts before could be overtaken by it. */
  async written(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** Writes again what somebody has removed meanwhile, such as a cleaner of temporary files. What is another's stays. */
  async putBack(): Promise<void> {
    await this.written();
    if (this.#hasSuccessor) return;
    const { pidFile, control, controlIfFree, log } = this.#options;
    const lost = (error: unknown): void => log.warn({ err: error }, 'a file that names this process is gone');
    if (pidFile !== undefined && !existsSync(pidFile)) await writePidFile(pidFile).catch(lost);
    const socket = control ?? controlIfFree;
    if (socket !== undefined && !existsSync(socket)) await this.#reopenControl(socket).catch(lost);
  }

  /**
   * A successor is ready: from now on the files are its own. Resolves once it has written them, so that who asked for the
   * upgrade finds it by them, or has had time to.
   */
  handedOver(): Promise<void> {
    this.#hasSuccessor = true;
    this.#takenOver = this.#waitForSuccessor();
    return this.#takenOver;
  }

  async #waitForSuccessor(): Promise<void> {
    const { pidFile } = this.#options;
    const areOurs = (): boolean =>
      (pidFile !== undefined && namesThisProcess(pidFile)) || this.#controlSocket?.isAtItsPath() === true;
    for (let tries = 0; tries < TAKE_OVER_TRIES && areOurs(); tries += 1) await setTimeout(TAKE_OVER_PAUSE_MS);
  }

  /** Resolves once the server has ended and its files are gone. */
  async removed(): Promise<void> {
    await this.#removed;
  }

  async #write(server: Server): Promise<void> {
    const { pidFile, control, controlIfFree } = this.#options;
    const ended = server.ended.finally(async () => {
      this.#removePidFile();
      await this.#takenOver;
      // Who asked for the upgrade over the control socket is answered before that ends.
      await setImmediate();
    });
    this.#removed = ended.catch(() => undefined);
    this.#reopenControl = (file) => this.#openControl(file, server, ended);
    if (control !== undefined) await this.#required(() => this.#openControl(control, server, ended));
    else if (controlIfFree !== undefined) {
      await this.#openControl(controlIfFree, server, ended).catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'there is no control socket'),
      );
    }
    if (pidFile !== undefined) await this.#required(() => writePidFile(pidFile));
  }

  async #openControl(file: string, server: Server, ended: Promise<void>): Promise<void> {
    const { log, isSuccessor } = this.#options;
    this.#controlSocket = await openControlSocket(file, withVerbs(server, { ended }), log, {
      replace: isSuccessor,
      hasSuccessor: () => this.#hasSuccessor,
    });
    this.#removed = Promise.all([this.#removed, this.#controlSocket.closed]);
  }

  async #required(write: () => Promise<void>): Promise<void> {
    const { isSuccessor, log } = this.#options;
    try {
      await write();
    } catch (error) {
      if (!isSuccessor) throw error;
      log.error({ err: error }, 'this process serves on without a file that names it');
    }
  }

  /** In one step, so that no other process comes between looking and removing. */
  #removePidFile(): void {
    const { pidFile } = this.#options;
    if (pidFile === undefined || this.#hasSuccessor) return;
    try {
      if (namesThisProcess(pidFile)) unlinkSync(pidFile);
    } catch {
      // It is gone already.
    }
  }
}

function namesThisProcess(pidFile: string): boolean {
  try {
    return readFileSync(pidFile, 'utf8') === `${process.pid}\n`;
  } catch {
    return false;
  }
}

const pidFileProblem = (file: string, problem: string, cause?: unknown): WellknownError =>
  new WellknownError(
    'OPTION_INVALID',
    `--pid-file is '${file}', which ${problem}; allowed is a path in a writable folder`,
    { fault: 'local', cause },
  );

/** By rename, so that no reader sees half of it, and only once everything accepts. */
async function writePidFile(file: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  try {
    await writeFile(temporary, `${process.pid}\n`);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw pidFileProblem(file, fileProblem('written', error), error);
  }
}
