// How every comparison here is made: two or more servers, started afresh for each round on one core, loaded in turn
// (A B A B …) from another core; what counts is the server's CPU time for each operation, as the kernel accounts it.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Subject {
  readonly name: string;
  /** The server's program under bench/servers; it prints `port N` once it listens. */
  readonly server: string;
  readonly arguments?: readonly string[];
}

/** Loads the server and resolves with how many operations it answered. */
export type Load = (port: number) => Promise<number>;

interface Round {
  readonly operations: number;
  readonly cpuMicroseconds: number;
}

const SERVER_CORE = '0';
/** Where the client runs. On a machine with one core the figures mean little, and the report says so. */
export const CLIENT_CORE = availableParallelism() > 1 ? '1' : '0';
// The unit of /proc/PID/stat; 100 on every Linux that Node runs on.
const CLOCK_TICKS_PER_SECOND = 100;

/** User and system time of a process so far, in microseconds. */
function cpuTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND) * 1e6;
}

const portOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const port = /port (\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error(`the server ended: ${text}`)));
  });

async function round(subject: Subject, load: Load): Promise<Round> {
  const program = fileURLToPath(new URL(`servers/${subject.server}`, import.meta.url));
  const child = spawn('taskset', ['-c', SERVER_CORE, process.execPath, program, ...(subject.arguments ?? [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await portOf(child);
    // taskset replaces itself by the server, so this is the server's own id.
    const pid = child.pid ?? 0;
    await load(port);
    const before = cpuTime(pid);
    const operations = await load(port);
    return { operations, cpuMicroseconds: cpuTime(pid) - before };
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** Runs the comparison and prints CPU microseconds for each operation; the ratio is that of each round to its neighbour's. */
export async function compare(title: string, subjects: readonly Subject[], load: Load, rounds: number): Promise<void> {
  const results = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let index = 0; index < rounds; index += 1) {
    for (const subject of subjects) {
      const { operations, cpuMicroseconds } = await round(subject, load);
      results.get(subject.name)?.push(cpuMicroseconds / operations);
    }
  }
  const [reference] = subjects;
  const base = results.get(reference?.name ?? '') ?? [];
  console.log(`\n${title} (node ${process.version}, ${rounds} rounds, CPU microseconds per operation: min median max, ratio to ${reference?.name ?? ''})`);
  for (const { name } of subjects) {
    const values = results.get(name) ?? [];
    const ratio = median(values.map((value, index) => value / (base[index] ?? Number.NaN)));
    console.log(`  ${name.padEnd(28)} ${Math.min(...values).toFixed(2).padStart(8)} ${median(values).toFixed(2).padStart(8)} ${Math.max(...values).toFixed(2).padStart(8)}   ${ratio.toFixed(2)}`);
  }
  if (availableParallelism() < 2) console.log('  one core only: server and client shared it, so these figures are not comparable');
}

/** Runs a client program to its end on the client's core and returns what it printed. */
export const runClient = (command: string, ...args: string[]): string =>
  execFileSync('taskset', ['-c', CLIENT_CORE, command, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
