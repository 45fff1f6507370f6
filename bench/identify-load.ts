// New connections at a steady rate to a server whose workers say who they are, for what is measured of accepting.

import { spawn, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const GIVE_UP_MS = 5_000;
const MAX_IN_FLIGHT = 400;

/** What became of one. */
export interface Outcome {
  /** Its process id; undefined where none has answered. */
  readonly worker: number | undefined;
  readonly isServed: boolean;
  readonly startedAtMs: number;
  /** Until the answer had come, or it was given up. */
  readonly tookMs: number;
}

/** Connects, has the worker's process id and a line back, and closes. */
function connectOnce(port: number): Promise<Outcome> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let text = '';
    const finish = (isServed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const worker = Number.parseInt(text, 10);
      const tookMs = performance.now() - startedAtMs;
      resolve({ worker: Number.isNaN(worker) ? undefined : worker, isServed, startedAtMs, tookMs });
    };
    const timer = setTimeout(() => finish(false), GIVE_UP_MS);
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write('hello\n'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('hello\n')) finish(true);
    });
    socket.on('error', () => finish(false));
    socket.on('end', () => finish(false));
  });
}

/** Makes connections at the rate for the given time, as far as those in flight allow. */
export async function load(port: number, seconds: number, perSecond: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const all: Promise<void>[] = [];
  let inFlight = 0;
  const endAtMs = performance.now() + seconds * 1000;
  while (performance.now() < endAtMs) {
    for (let count = 0; count < perSecond / 100 && inFlight < MAX_IN_FLIGHT; count += 1) {
      inFlight += 1;
      all.push(
        connectOnce(port).then((outcome) => {
          inFlight -= 1;
          outcomes.push(outcome);
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Promise.all(all);
  return outcomes;
}

/** A server with `workers` workers. */
export async function start(
  strategy: string,
  more: readonly string[] = [],
  workers = 2,
): Promise<{ child: ChildProcess; port: number }> {
  const program = fileURLToPath(new URL('servers/identify.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      program,
      '--workers',
      String(workers),
      '--accept',
      strategy,
      '--listen',
      'tcp://127.0.0.1:0',
      '--max-connections-per-ip',
      '100000',
      '--drain-timeout',
      '5',
      '--log-level',
      'error',
      ...more,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (/^ready$/m.test(text)) resolve(Number(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]));
    });
    child.once('exit', () => reject(new Error(`${strategy} is not to be had here: ${text}`)));
  });
  return { child, port };
}

/** Sends it where the process is still there. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Asks it to end, and waits. */
export async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(undefined),
  );
  child.kill('SIGTERM');
  await ended;
}

/** How many of them each worker has served, the most first. */
export function spreadOf(outcomes: readonly Pick<Outcome, 'worker'>[]): number[] {
  const byWorker = new Map<number, number>();
  for (const { worker } of outcomes) if (worker !== undefined) byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1);
  return [...byWorker.values()].sort((a, b) => b - a);
}
