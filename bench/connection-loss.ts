// What is lost while workers are killed, reloaded and upgraded under 2,000 new connections a second, and how
// connections spread over the workers, for each accept strategy.
//
// A connection counts as lost when it was refused, reset or unanswered within five seconds. `before` was made before
// the event: it may have been in the killed worker, which no strategy can prevent. `after` was made later: it must be
// zero for every strategy that promises to lose nothing.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const STRATEGIES = ['inherit-shared', 'inherit-sharded', 'dispatch', 'cluster-rr'];
const EVENTS = ['kill', 'stall-then-kill', 'reload', 'upgrade'] as const;
const CONNECTIONS_PER_SECOND = 2_000;
const SECONDS = 4;
const EVENT_AT_MS = 1_000;
const GIVE_UP_MS = 5_000;
const MAX_IN_FLIGHT = 400;

interface Outcome {
  readonly worker: number | undefined;
  readonly isServed: boolean;
  readonly startedAtMs: number;
}

function connectOnce(port: number): Promise<Outcome> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let text = '';
    const finish = (isServed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const worker = Number.parseInt(text, 10);
      resolve({ worker: Number.isNaN(worker) ? undefined : worker, isServed, startedAtMs });
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
async function load(port: number, seconds: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const all: Promise<void>[] = [];
  let inFlight = 0;
  const endAtMs = performance.now() + seconds * 1000;
  while (performance.now() < endAtMs) {
    for (let count = 0; count < CONNECTIONS_PER_SECOND / 100 && inFlight < MAX_IN_FLIGHT; count += 1) {
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

async function start(strategy: string, pidFile: string): Promise<{ child: ChildProcess; port: number }> {
  const program = fileURLToPath(new URL('servers/identify.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      program,
      '--workers',
      '2',
      '--accept',
      strategy,
      '--listen',
      'tcp://127.0.0.1:0',
      '--max-connections-per-ip',
      '100000',
      '--drain-timeout',
      '5',
      '--pid-file',
      pidFile,
      '--log-level',
      'error',
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

async function measure(strategy: string, event: (typeof EVENTS)[number]): Promise<string> {
  const pidFile = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-bench-')), 'pid');
  const { child, port } = await start(strategy, pidFile);
  child.stdout?.on('data', () => undefined);
  try {
    const warmUp = await load(port, 0.5);
    const victim = warmUp.find((outcome) => outcome.worker !== undefined)?.worker ?? 0;
    let eventAtMs = Number.POSITIVE_INFINITY;
    setTimeout(() => {
      if (event === 'kill') signal(victim, 'SIGKILL');
      else if (event === 'reload') child.kill('SIGHUP');
      else if (event === 'upgrade') child.kill('SIGUSR2');
      else {
        signal(victim, 'SIGSTOP');
        setTimeout(() => signal(victim, 'SIGKILL'), 300);
      }
      eventAtMs = performance.now();
    }, EVENT_AT_MS);
    const outcomes = await load(port, SECONDS);
    const lost = outcomes.filter((outcome) => !outcome.isServed);
    const spread = new Map<number, number>();
    for (const { worker } of warmUp) if (worker !== undefined) spread.set(worker, (spread.get(worker) ?? 0) + 1);
    const before = lost.filter((outcome) => outcome.startedAtMs < eventAtMs).length;
    return `  ${strategy.padEnd(18)} ${event.padEnd(16)} ${String(outcomes.length).padStart(6)} ${String(before).padStart(7)} ${String(lost.length - before).padStart(6)}   ${[...spread.values()].sort((a, b) => b - a).join('/')}`;
  } finally {
    const ended = new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(undefined),
    );
    child.kill('SIGTERM');
    await ended;
    // After an upgrade the successor is no child of ours, but the file has its id.
    if (existsSync(pidFile)) signal(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Prints one line for each strategy and event. */
export async function compareLoss(): Promise<void> {
  console.log(
    `\nConnections lost at ${CONNECTIONS_PER_SECOND} a second (node ${process.version}, 2 workers): made, lost of those made before and after the event, spread over the workers before it`,
  );
  for (const strategy of STRATEGIES) {
    for (const event of EVENTS) {
      try {
        console.log(await measure(strategy, event));
      } catch (error) {
        console.log(
          `  ${strategy.padEnd(18)} ${event.padEnd(16)} ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
