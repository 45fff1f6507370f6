// How every comparison here is made: two or more servers, started afresh for each round on one core, loaded in turn
// (A B A B …) from another core; what counts is the server's CPU time for each operation, as the kernel accounts it.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Subject {
  readonly name: string;
  /**
   * The server's program under bench/servers; it prints `port N` once it listens, or `port N pid M` for a process that
   * it has started.
   */
  readonly server: string;
  readonly arguments?: readonly string[];
  /**
   * Where on loopback it listens, if not on 127.0.0.1. With one for each subject nobody pays for the ports that another
   * has left in TIME_WAIT.
   */
  readonly address?: string;
}

/** Loads the server and resolves with how many operations it answered. */
export type Load = (port: number, subject: Subject) => Promise<number>;

interface Round {
  readonly operations: number;
  readonly cpuMicroseconds: number;
}

export const SERVER_CORE = '0';
/** Where the client runs. On a machine with one core the figures mean little, and the report says so. */
export const CLIENT_CORE = availableParallelism() > 1 ? '1' : '0';
// The unit of /proc/PID/stat; 100 on every Linux that Node runs on.
const CLOCK_TICKS_PER_SECOND = 100;

/** User and system time of a process and of the workers that it has, so far, in microseconds. */
const cpuTime = (pid: number): number => processesOf(pid).reduce((sum, each) => sum + cpuTimeOf(each), 0);

/** A process and its children. */
export const processesOf = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number),
];

/** The same of one process. */
export function cpuTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime, stime, and those of children that have ended, are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks / CLOCK_TICKS_PER_SECOND) * 1e6;
}

/** Where a started server listens, and which process serves. */
const startedAt = (child: ChildProcess): Promise<{ readonly port: number; readonly pid: number }> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [, port, pid] = /port (\d+)(?: pid (\d+))?\n/.exec(text) ?? [];
      // taskset replaces itself by the server, so the child's id is the server's own, unless it names another.
      if (port !== undefined) resolve({ port: Number(port), pid: Number(pid ?? child.pid) });
    });
    child.once('exit', () => reject(new Error(`the server ended: ${text}`)));
  });

const start = (subject: Subject, ...options: string[]) => {
  const program = fileURLToPath(new URL(`servers/${subject.server}`, import.meta.url));
  return spawn('taskset', ['-c', SERVER_CORE, process.execPath, ...options, program, ...(subject.arguments ?? [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
};

/** Starts a server on its core; `stop` resolves when it has ended. */
export async function startServer(
  subject: Subject,
): Promise<{ readonly port: number; readonly pid: number; readonly stop: () => Promise<void> }> {
  const child = start(subject);
  const stop = async (): Promise<void> => {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  };
  return { ...(await startedAt(child)), stop };
}

async function round(subject: Subject, load: Load): Promise<Round> {
  const { port, pid, stop } = await startServer(subject);
  try {
    await load(port, subject);
    const before = cpuTime(pid);
    const operations = await load(port, subject);
    return { operations, cpuMicroseconds: cpuTime(pid) - before };
  } finally {
    await stop();
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/**
 * Runs the comparison and prints CPU microseconds for each operation; the ratio is that of each round to its
 * neighbour's.
 */
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
  console.log(
    `\n${title} (node ${process.version}, ${rounds} rounds, CPU microseconds per operation: min median max, ratio to ${reference?.name ?? ''})`,
  );
  for (const { name } of subjects) {
    const values = results.get(name) ?? [];
    const ratio = median(values.map((value, index) => value / (base[index] ?? Number.NaN)));
    console.log(
      `  ${name.padEnd(28)} ${Math.min(...values)
        .toFixed(2)
        .padStart(8)} ${median(values).toFixed(2).padStart(8)} ${Math.max(...values)
        .toFixed(2)
        .padStart(8)}   ${ratio.toFixed(2)}`,
    );
  }
  if (availableParallelism() < 2)
    console.log('  one core only: server and client shared it, so these figures are not comparable');
}

/** Runs a client program to its end on the client's core and returns what it printed. */
export const runClient = (command: string, ...args: string[]): string =>
  execFileSync('taskset', ['-c', CLIENT_CORE, command, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/**
 * Opens `count` idle connections, divided over `holders` runs of a client program, and prints what each costs in the
 * server's processes together: bytes that their heaps hold, and resident bytes.
 */
export async function compareIdleMemory(
  subjects: readonly Subject[],
  client: string,
  { count, holders, rounds }: { readonly count: number; readonly holders: number; readonly rounds: number },
): Promise<void> {
  console.log(
    `\nmemory of ${count} idle connections (node ${process.version}, ${rounds} rounds, bytes for each connection: median of heap and buffers, of resident memory; above ${subjects[0]?.name ?? ''})`,
  );
  const results = new Map<string, { heap: number[]; resident: number[] }>(
    subjects.map(({ name }) => [name, { heap: [], resident: [] }]),
  );
  for (let index = 0; index < rounds; index += 1) {
    for (const subject of subjects) {
      const child = start(subject, '--expose-gc');
      try {
        const { port } = await startedAt(child);
        const before = await memoryOf(child);
        const clients = Array.from({ length: holders }, (_, holder) =>
          spawn(
            'taskset',
            [
              '-c',
              CLIENT_CORE,
              process.execPath,
              client,
              String(port),
              String(shareOf(count, holder, holders)),
              `127.0.0.${2 + holder}`,
            ],
            { stdio: ['pipe', 'pipe', 'inherit'] },
          ),
        );
        await Promise.all(clients.map(({ stdout }) => new Promise((resolve) => stdout.once('data', resolve))));
        const after = await memoryOf(child);
        results.get(subject.name)?.heap.push((after.heap - before.heap) / count);
        results.get(subject.name)?.resident.push((after.resident - before.resident) / count);
        for (const { stdin } of clients) stdin.end();
        await Promise.all(clients.map((one) => new Promise((resolve) => one.once('close', resolve))));
      } finally {
        child.removeAllListeners('exit');
        child.kill('SIGTERM');
        await new Promise((resolve) => child.once('close', resolve));
      }
    }
  }
  const base = results.get(subjects[0]?.name ?? '') ?? { heap: [], resident: [] };
  for (const [name, { heap, resident }] of results) {
    const figures = [
      median(heap),
      median(resident),
      median(heap) - median(base.heap),
      median(resident) - median(base.resident),
    ];
    console.log(`  ${name.padEnd(28)} ${figures.map((bytes) => bytes.toFixed(0).padStart(8)).join('')}`);
  }
}

const shareOf = (count: number, holder: number, holders: number): number =>
  Math.floor(count / holders) + (holder < count % holders ? 1 : 0);

/** Asks every process of the server, each of which answers with one line. */
const memoryOf = (child: ChildProcess): Promise<{ readonly heap: number; readonly resident: number }> =>
  new Promise((resolve) => {
    const asked = processesOf(child.pid ?? 0);
    let text = '';
    const heard = (chunk: string): void => {
      text += chunk;
      const answers = [...text.matchAll(/^memory (\d+) (\d+)\n/gm)];
      if (answers.length < asked.length) return;
      child.stdout?.off('data', heard);
      resolve({
        heap: answers.reduce((sum, [, heap]) => sum + Number(heap), 0),
        resident: answers.reduce((sum, [, , resident]) => sum + Number(resident), 0),
      });
    };
    child.stdout?.on('data', heard);
    for (const pid of asked) process.kill(pid, 'SIGUSR2');
  });
