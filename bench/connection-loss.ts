// What is lost while workers are killed, reloaded and upgraded under 2,000 new connections a second, and how
// connections spread over the workers, for each accept strategy.
//
// A connection counts as lost when it was refused, reset or unanswered within five seconds. `before` was made before
// the event: it may have been in the killed worker, which no strategy can prevent. `after` was made later: it must be
// zero for every strategy that promises to lose nothing.

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load, signal, spreadOf, start, stop } from './identify-load.ts';

const STRATEGIES = ['inherit-shared', 'inherit-sharded', 'dispatch', 'cluster-rr'];
const EVENTS = ['kill', 'stall-then-kill', 'reload', 'upgrade'] as const;
const CONNECTIONS_PER_SECOND = 2_000;
const SECONDS = 4;
const EVENT_AT_MS = 1_000;

async function measure(strategy: string, event: (typeof EVENTS)[number]): Promise<string> {
  const pidFile = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-bench-')), 'pid');
  const { child, port } = await start(strategy, ['--pid-file', pidFile]);
  child.stdout?.on('data', () => undefined);
  try {
    const warmUp = await load(port, 0.5, CONNECTIONS_PER_SECOND);
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
    const outcomes = await load(port, SECONDS, CONNECTIONS_PER_SECOND);
    const lost = outcomes.filter((outcome) => !outcome.isServed);
    const before = lost.filter((outcome) => outcome.startedAtMs < eventAtMs).length;
    return `  ${strategy.padEnd(18)} ${event.padEnd(16)} ${String(outcomes.length).padStart(6)} ${String(before).padStart(7)} ${String(lost.length - before).padStart(6)}   ${spreadOf(warmUp).join('/')}`;
  } finally {
    await stop(child);
    // After an upgrade the successor is no child of ours, but the file has its id.
    if (existsSync(pidFile)) signal(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
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
