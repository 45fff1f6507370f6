// Runs a server program as a process of its own, as a user would start it, and ends it by its id.

import { spawn, type ChildProcess } from 'node:child_process';

const GIVE_UP_MS = 20_000;

export interface Program {
  readonly pid: number;
  /** By service name, in the order they were printed: the endpoints of the `listening` lines. */
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  signal(name: NodeJS.Signals): void;
  /** The exit status; -1 when a signal ended it. */
  readonly exited: Promise<number>;
  /** TERM, and KILL if it has not ended after twenty seconds. Resolves with the exit status. */
  stop(): Promise<number>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `node ARGUMENTS` and resolves once it has printed `ready`. Rejects with its output when it ends before. */
export async function startProgram(nodeArguments: readonly string[], options: ProgramOptions = {}): Promise<Program> {
  const child = spawn(process.execPath, nodeArguments, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  // Not 'close': orphaned workers may hold the pipes for longer than the program lives.
  const exited = exitOf(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`not ready: ${output.stdout}${output.stderr}`));
    }, GIVE_UP_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
      if (/^ready$/m.test(output.stdout)) {
        clearTimeout(timer);
        resolve();
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    void exited.then((status) => {
      clearTimeout(timer);
      reject(new Error(`ended with status ${status} before it was ready: ${output.stdout}${output.stderr}`));
    });
  });
  const endpoints: Record<string, string[]> = {};
  for (const [, service = '', endpoint = ''] of output.stdout.matchAll(/^listening (\S+) (\S+)$/gm))
    (endpoints[service] ??= []).push(endpoint);
  return {
    pid: child.pid ?? 0,
    endpoints,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    signal: (name) => void child.kill(name),
    exited,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
      const status = await exited;
      clearTimeout(timer);
      return status;
    },
  };
}

/** Runs `node ARGUMENTS` to its end. */
export async function runProgram(
  nodeArguments: readonly string[],
  options: ProgramOptions = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, nodeArguments, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  const status = await exitOf(child, 'close');
  clearTimeout(timer);
  return { status, stdout, stderr };
}

const exitOf = (child: ChildProcess, event: 'exit' | 'close'): Promise<number> =>
  new Promise((resolve) => child.once(event, (code: number | null) => resolve(code ?? -1)));
