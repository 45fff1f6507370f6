// Checks of sha-crypt in a thread of their own: its library computes 5,000 rounds at once, some 30 ms in which a server
// would do nothing else, and a hash may ask for 200 times as many.

import { Worker } from 'node:worker_threads';

/** What the thread answers. */
type Answer = { readonly id: number; readonly isRight: boolean } | { readonly id: number; readonly problem: string };

// As text and not as a file: the same from the sources, from the package and from whatever bundles it. The library is
// found from here.
const PROGRAM = `
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const { parentPort, workerData } = require('node:worker_threads');
const library = import(pathToFileURL(createRequire(workerData).resolve('unixcrypt')).href);
parentPort.on('message', async ({ id, password, hash }) => {
  try {
    const { verify } = await library;
    parentPort.postMessage({ id, isRight: verify(password, hash) });
  } catch (error) {
    parentPort.postMessage({ id, problem: String(error) });
  }
});
`;

interface Waiting {
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, started by the first check. It keeps no process from ending unless a check is under way. */
export class ShaCryptThread {
  #thread: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #checks = 0;

  /** Rejects where the library can't work with the hash, or the thread has ended. */
  verify(password: string, hash: string): Promise<boolean> {
    const thread = (this.#thread ??= this.#start());
    this.#checks += 1;
    const id = this.#checks;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.ref();
      thread.postMessage({ id, password, hash });
    });
  }

  #start(): Worker {
    const thread = new Worker(PROGRAM, {
      eval: true,
      workerData: import.meta.url,
      // None of the process's own. The library is only to be imported, and `resolve` asks as `require` does.
      execArgv: ['--conditions=import'],
    });
    thread.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) thread.unref();
      if ('problem' in answer) waiting?.reject(new Error(answer.problem));
      else waiting?.resolve(answer.isRight);
    });
    // What ends it is an error, or out of our hands; the next check starts another.
    let reason = new Error('the thread that checks passwords has ended');
    thread.on('error', (error: Error) => (reason = error));
    thread.on('exit', () => {
      this.#thread = undefined;
      for (const { reject } of this.#waiting.values()) reject(reason);
      this.#waiting.clear();
    });
    return thread;
  }
}
