// What a start costs: CPU time of a process that imports an entry of the build and ends, beside a bare Node and peers; and
// the time from the start of `wellknown up` with two workers to `ready`, beside that of a bare cluster of two that listens.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const built = (file: string): string => new URL(`../packages/${file}`, import.meta.url).href;
const PROGRAM = fileURLToPath(new URL('../packages/cli/bin/wellknown.js', import.meta.url));

// Node 20 reads the certificates of NODE_EXTRA_CA_CERTS before any program begins, which takes longer than what is
// measured.
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

const BARE_CLUSTER = `
  const cluster = require('node:cluster');
  if (cluster.isPrimary) {
    let listening = 0;
    for (let slot = 0; slot < 2; slot += 1) cluster.fork();
    cluster.on('listening', () => (listening += 1) === 2 && console.log('ready'));
    process.on('SIGTERM', () => process.exit());
  } else require('node:net').createServer().listen(0, '127.0.0.1');
`;

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
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: ENVIRONMENT },
  );
  if (run.status !== 0) throw new Error(`it failed: ${args.join(' ')}`);
  // Of children that were waited for, in ticks of a hundredth of a second.
  return run.stdout.split(' ').reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

/** Milliseconds from the start to `ready`. */
function readyAfter(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...ENVIRONMENT, XDG_RUNTIME_DIR: '/tmp' },
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

function startUp(): Promise<number> {
  const offset = 20_000 + Math.floor(Math.random() * 12_000);
  return readyAfter([PROGRAM, 'up', '--workers', '2', '--port-offset', String(offset)]);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Prints the median and the least of each. */
export async function compareStartup(rounds: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-startup-'));
  const clusterArguments = [path.join(folder, 'cluster.cjs')];
  writeFileSync(path.join(folder, 'cluster.cjs'), BARE_CLUSTER);
  const measured = new Map(Object.keys(STARTS).map((name) => [name, [] as number[]]));
  const ready: number[] = [];
  const bareCluster: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, args] of Object.entries(STARTS)) measured.get(name)?.push(cpuOf(args));
    bareCluster.push(await readyAfter(clusterArguments));
    ready.push(await startUp());
  }
  console.log(`Node ${process.versions.node}, ${rounds} rounds: median and least`);
  for (const [name, values] of measured)
    console.log(`${name.padEnd(22)}${median(values)} ms of CPU, ${Math.min(...values)}`);
  for (const [name, values] of [
    ['bare cluster of two', bareCluster],
    ['up to ready', ready],
  ] as const)
    console.log(`${name.padEnd(22)}${Math.round(median(values))} ms to ready, ${Math.round(Math.min(...values))}`);
  rmSync(folder, { recursive: true });
}
