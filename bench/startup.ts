// What a start costs: CPU time of a process that imports an entry of the build and ends, beside a bare Node and peers; and
// the time from the start of `wellknown up` with two workers to `ready`.

import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const built = (file: string): string => new URL(`../packages/${file}`, import.meta.url).href;
const PROGRAM = fileURLToPath(new URL('../packages/cli/bin/wellknown.js', import.meta.url));

/** In the order of the table; each round starts every one once. */
const STARTS: Readonly<Record<string, readonly string[]>> = {
  'bare Node': ['-e', '0'],
  '@wellknown/core': ['--input-type=module', '-e', `import '${built('core/dist/index.js')}'`],
  '@wellknown/http': ['--input-type=module', '-e', `import '${built('http/dist/index.js')}'`],
  hono: [
    '--input-type=module',
    '-e',
    `import '${import.meta.resolve('hono')}'; import '${import.meta.resolve('@hono/node-server')}'`,
  ],
  fastify: ['--input-type=module', '-e', `import '${import.meta.resolve('fastify')}'`],
  'wellknown --version': [PROGRAM, '--version'],
};

/** Milliseconds of CPU, user and system, of one run. */
function cpuOf(args: readonly string[]): number {
  const run = spawnSync(
    process.execPath,
    [
      '-e',
      `const { spawnSync } = require('node:child_process');
       const { status } = spawnSync(process.execPath, ${JSON.stringify(args)}, { stdio: ['ignore', 'ignore', 'inherit'] });
       if (status !== 0) process.exit(1);
       console.log(require('node:fs').readFileSync('/proc/self/stat', 'utf8').split(' ').slice(15, 17).join(' '));`,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (run.status !== 0) throw new Error(`it failed: ${args.join(' ')}`);
  // Of children that were waited for, in ticks of a hundredth of a second.
  return run.stdout.split(' ').reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

/** Milliseconds from the start to `ready`. */
function readyAfter(): Promise<number> {
  const startedAt = performance.now();
  const offset = 20_000 + Math.floor(Math.random() * 12_000);
  const child = spawn(process.execPath, [PROGRAM, 'up', '--workers', '2', '--port-offset', String(offset)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, XDG_RUNTIME_DIR: '/tmp' },
  });
  return new Promise((resolve, reject) => {
    let after: number | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!/^ready$/m.test(text)) return;
      after = performance.now() - startedAt;
      child.kill('SIGTERM');
    });
    child.once('exit', () => {
      if (after === undefined) reject(new Error('it was never ready'));
      else resolve(after);
    });
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Prints the median and the least of each. */
export async function compareStartup(rounds: number): Promise<void> {
  const measured = new Map(Object.keys(STARTS).map((name) => [name, [] as number[]]));
  const ready: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, args] of Object.entries(STARTS)) measured.get(name)?.push(cpuOf(args));
    ready.push(await readyAfter());
  }
  console.log(`Node ${process.versions.node}, ${rounds} rounds: median and least`);
  for (const [name, values] of measured)
    console.log(`${name.padEnd(22)}${median(values)} ms of CPU, ${Math.min(...values)}`);
  console.log(`${'up to ready'.padEnd(22)}${Math.round(median(ready))} ms, ${Math.round(Math.min(...ready))}`);
}
