// One socket for all workers against a socket for each (`inherit-shared`, `inherit-sharded`): how new connections spread over
// the workers, and what a worker that stands still costs them.
//
// Spread: of connections that come and go at a high rate; of those that come in a burst and stay; and of those that come
// one after the other and stay, as people do. Stall: one of two workers is stopped for three seconds, as by a blocked event
// loop, while 200 connections a second come in. `late` are those of that time that waited for more than a quarter of a
// second.

import net from 'node:net';
import { load, signal, spreadOf, start, stop, type Outcome } from './identify-load.ts';

const STRATEGIES = ['inherit-shared', 'inherit-sharded'] as const;
// The option's default, and one that a stall of this length never reaches.
const LATE_BEATS = ['0.5', '20'] as const;
const STALL_MS = 3_000;
const STALL_RATE = 200;
const LATE_MS = 250;
const HIGH_RATE = 2_000;
const SESSIONS = 200;
const BETWEEN_MS = 4;
const POOLS = [2, 8];

interface Stall {
  readonly made: number;
  readonly late: number;
  readonly lost: number;
  readonly worstMs: number;
}

interface Held {
  readonly socket: net.Socket;
  readonly worker: number;
}

/** A connection that stays open, once its worker has said who it is. */
function hold(port: number): Promise<Held> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('data', (text: Buffer) => resolve({ socket, worker: Number.parseInt(text.toString('latin1'), 10) }));
  });
}

async function inBurst(port: number): Promise<readonly Held[]> {
  return Promise.all(Array.from({ length: SESSIONS }, () => hold(port)));
}

async function oneByOne(port: number): Promise<readonly Held[]> {
  const all: Held[] = [];
  while (all.length < SESSIONS) {
    all.push(await hold(port));
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  return all;
}

/** What the worker with most of them has, and the one with least. */
function mostAndLeast(outcomes: readonly Pick<Outcome, 'worker'>[], workers: number): string {
  const spread = spreadOf(outcomes);
  return `${spread[0] ?? 0}/${spread[workers - 1] ?? 0}`;
}

async function measureSpread(strategy: string, workers: number): Promise<string> {
  const { child, port } = await start(strategy, [], workers);
  try {
    await load(port, 0.5, HIGH_RATE);
    const spreads = [mostAndLeast(await load(port, 1, HIGH_RATE), workers)];
    for (const come of [inBurst, oneByOne]) {
      const held = await come(port);
      spreads.push(mostAndLeast(held, workers));
      for (const { socket } of held) socket.destroy();
    }
    return spreads.map((spread) => spread.padStart(9)).join(' ');
  } finally {
    await stop(child);
  }
}

async function measureStall(strategy: string, lateBeat: string): Promise<Stall> {
  const { child, port } = await start(strategy, ['--late-beat', lateBeat]);
  try {
    const before = await load(port, 1, STALL_RATE);
    const victim = before.find(({ worker }) => worker !== undefined)?.worker ?? 0;
    signal(victim, 'SIGSTOP');
    const stoppedAtMs = performance.now();
    setTimeout(() => signal(victim, 'SIGCONT'), STALL_MS);
    const outcomes = await load(port, STALL_MS / 1000 + 1, STALL_RATE);
    const made = outcomes.filter(({ startedAtMs }) => startedAtMs < stoppedAtMs + STALL_MS);
    return {
      made: made.length,
      late: made.filter(({ tookMs }) => tookMs > LATE_MS).length,
      lost: made.filter(({ isServed }) => !isServed).length,
      worstMs: Math.round(Math.max(...made.map(({ tookMs }) => tookMs))),
    };
  } finally {
    await stop(child);
  }
}

async function measure(strategy: string): Promise<void> {
  const spreads: string[] = [];
  for (const workers of POOLS) spreads.push(await measureSpread(strategy, workers));
  const stalls: string[] = [];
  for (const lateBeat of LATE_BEATS) {
    const { made, late, lost, worstMs } = await measureStall(strategy, lateBeat);
    stalls.push(`${made}, ${late}, ${lost}, ${worstMs} ms`);
  }
  console.log(`  ${strategy.padEnd(16)} ${spreads.join('  |')}  |  ${stalls.join('  |  ')}`);
}

/** Prints a line for each strategy and round, interleaved. */
export async function compareStall(rounds: number): Promise<void> {
  console.log(
    `\nOne socket for all workers, or one for each (node ${process.version}). With ${POOLS.join(' and ')} workers, the most and the least that one has: of connections at ${HIGH_RATE} a second, of ${SESSIONS} that come at once and stay, of as many that come one by one. Then one of two workers stopped for ${STALL_MS / 1000} s, with --late-beat ${LATE_BEATS.join(' and ')}: made, late, lost, worst wait`,
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const strategy of STRATEGIES) {
      try {
        await measure(strategy);
      } catch (error) {
        console.log(`  ${strategy.padEnd(16)} ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
