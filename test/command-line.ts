// A command line that ends before it serves, run in the process of its test: by the function that the program's main
// calls, without the cost of a process. That a real process does the same is tested once for each program.

import { vi } from 'vitest';

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program prints, and its exit status. Rejects when the command line is served instead. */
export async function runHere(main: () => Promise<void>): Promise<Ended> {
  const exitCode = process.exitCode;
  const listeners = process.listenerCount('SIGTERM');
  const output = { stdout: '', stderr: '' };
  try {
    process.exitCode = undefined;
    await new Promise<void>((resolve, reject) => {
      for (const name of ['stdout', 'stderr'] as const) {
        vi.spyOn(process[name], 'write').mockImplementation((text) => {
          output[name] += String(text);
          if (name === 'stdout' && /^ready$/m.test(output.stdout)) reject(new Error(`it serves: ${output.stdout}`));
          return true;
        });
      }
      main().then(resolve, reject);
    });
    if (process.listenerCount('SIGTERM') !== listeners) throw new Error('it began to serve: run it as a process');
    return { status: exitStatus(), ...output };
  } finally {
    vi.restoreAllMocks();
    process.exitCode = exitCode;
  }
}

const exitStatus = (): number => Number(process.exitCode ?? 0);
