// What the datagram comparisons need beyond measure.ts: servers that are not Node programs, a load generator in C, and
// several processes of one server.

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface DatagramSubject {
  readonly name: string;
  /** The command, with its arguments; it prints `port N` once it listens. */
  readonly command: readonly string[];
  /** Where it may run, as taskset takes it. Default: core 0 alone. */
  readonly cores?: string;
}

export interface Load {
  readonly sent: number;
  readonly received: number;
  readonly wrong: number;
  readonly seconds: number;
}

export interface Running {
  readonly port: number;
  /** User and system time of the server and its workers so far, in microseconds. */
  cpuMicroseconds(): number;
  /** Resident memory of all of its processes, in megabytes. */
  residentMegabytes(): number;
  /** What it prints next on a signal. */
  ask(signal: NodeJS.Signals): Promise<string>;
  stop(): Promise<void>;
}

const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A file under bench/. */
export const benchFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export const temporaryFile = (name: string): string => path.join(folder, name);

/** Compiles a C source under bench/ and gives the program's path. */
export function compile(source: string): string {
  const program = temporaryFile(path.basename(source, '.c'));
  execFileSync('cc', ['-O2', '-Wall', '-o', program, benchFile(source)], { stdio: 'inherit' });
  return program;
}

export const isInstalled = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v '${program}'`]).status === 0;

/** Runs the load generator on core 1 for a while. */
export function load(
  generator: string,
  port: number,
  bytes: number,
  seconds: number,
  how: 'window' | 'rate',
  amount: number,
  sources = 1,
): Load {
  const text = execFileSync(
    'taskset',
    ['-c', '1', generator, ...[port, bytes, seconds].map(String), how, String(amount), String(sources)],
    { encoding: 'utf8' },
  );
  const [sent = 0, received = 0, wrong = 0, took = 0] = [...text.matchAll(/[\d.]+/g)].map(Number);
  return { sent, received, wrong, seconds: took };
}

// The unit of /proc/PID/stat; 100 on every Linux that Node runs on.
const MICROSECONDS_PER_TICK = 10_000;

/** The fields after the name, which stands in parentheses and may hold spaces. */
const statOf = (pid: string): string[] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
};

/** A process and its children. */
const familyOf = (pid: number): string[] => [
  String(pid),
  ...readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && statOf(entry)[1] === String(pid)),
];

export async function start({ command, cores = '0' }: DatagramSubject): Promise<Running> {
  const child: ChildProcess = spawn('taskset', ['-c', cores, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let look: (() => void) | undefined;
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    look?.();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const matching = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      void ended.then(() => reject(new Error(`${command.join(' ')} ended: ${text}`)));
      look = () => {
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      };
      look();
    });
  const port = Number(await matching(/port (\d+)/));
  // taskset replaces itself by the server, so this is the server's own id.
  const pid = child.pid ?? 0;
  return {
    port,
    cpuMicroseconds: () =>
      familyOf(pid).reduce(
        (sum, one) => sum + (Number(statOf(one)[11]) + Number(statOf(one)[12])) * MICROSECONDS_PER_TICK,
        0,
      ),
    residentMegabytes: () => familyOf(pid).reduce((sum, one) => sum + (Number(statOf(one)[21]) * 4096) / 2 ** 20, 0),
    ask(signal) {
      text = '';
      child.kill(signal);
      return matching(/^(.+)\n/);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};
