// Chromium without a window, spoken to over a pipe in its own DevTools protocol: enough to load a page and ask what
// became of it.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

const GIVE_UP_MS = 20_000;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-pipe',
];

/** The name of the program, or undefined where there is none. */
export const findChromium = (): string | undefined =>
  ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  );

type Parameters = Readonly<Record<string, unknown>>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Parameters;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
}

export interface Page {
  /** Sends a command of the protocol for this page. */
  send(method: string, parameters?: Parameters): Promise<Parameters>;
  /** Goes to `url` and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** The value of an expression in the page; the page's own policy does not apply to it. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits for the next page, which something that was just sent leads to. */
  loaded(): Promise<void>;
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #pending = new Map<number, (message: Message) => void>();
  readonly #waiting: { readonly method: string; readonly resolve: () => void }[] = [];
  #lastId = 0;
  #received = '';

  private constructor(program: string) {
    this.#profile = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-chromium-'));
    this.#process = spawn(program, [...FLAGS, `--user-data-dir=${this.#profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  static async start(program: string): Promise<{ browser: Browser; page: Page }> {
    const browser = new Browser(program);
    return { browser, page: await browser.#newPage() };
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    // Asked, it waits for the processes that it has started; killed, it leaves them writing to the profile.
    await this.#send('Browser.close', {});
    await ended;
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20 });
  }

  async #newPage(): Promise<Page> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    const send = (method: string, parameters: Parameters = {}): Promise<Parameters> =>
      this.#send(method, parameters, String(sessionId));
    await send('Page.enable');
    const loaded = (): Promise<void> =>
      within(
        'a page to load',
        new Promise((resolve) => void this.#waiting.push({ method: 'Page.loadEventFired', resolve })),
      );
    return {
      send,
      loaded,
      async open(url) {
        const done = loaded();
        await send('Page.navigate', { url });
        await done;
      },
      async evaluate(expression) {
        const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
        return (result as { readonly value: unknown }).value;
      },
    };
  }

  #send(method: string, params: Parameters, sessionId?: string): Promise<Parameters> {
    const id = (this.#lastId += 1);
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const answered = new Promise<Parameters>((resolve, reject) => {
      this.#pending.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
    return within(method, answered);
  }

  /** Messages end in a NUL. */
  #read(text: string): void {
    const pieces = (this.#received + text).split('\0');
    this.#received = pieces.pop() ?? '';
    for (const piece of pieces) {
      const message = JSON.parse(piece) as Message;
      if (message.id !== undefined) this.#pending.get(message.id)?.(message);
      else
        for (const waiting of this.#waiting.filter(({ method }) => method === message.method)) {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          waiting.resolve();
        }
    }
  }
}

async function within<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), GIVE_UP_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
