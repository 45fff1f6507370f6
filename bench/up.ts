// The program `wellknown up` with two workers, from the build: from its start to `ready`, the memory of the whole family at rest,
// and what `status` and a scrape of /metrics cost while 5 000 connections are open and requests run.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askControl } from '@wellknown/core/control';
import { ENVIRONMENT } from './startup.ts';

const PROGRAM = fileURLToPath(new URL('../packages/cli/bin/wellknown.js', import.meta.url));
const CONNECTIONS = 5_000;
const REST_MS = 3_000;
const LOAD_MS = 2_000;
const ASK_EVERY_MS = 200;

interface Family {
  readonly child: ChildProcess;
  readonly readyAfterMs: number;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly control: string;
  stop(): Promise<void>;
}

async function start(): Promise<Family> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-up-'));
  const control = path.join(folder, 'control');
  const offset = 20_000 + Math.floor(Math.random() * 10_000);
  const adminPort = offset + 999;
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[PROGRAM, 'up', '--workers', '2', '--port-offset', String(offset), '--control', control],
      ...['--admin', String(adminPort), '--max-connections-per-ip', '10000', '--log-level', 'warn'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: ENVIRONMENT },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/^ready$/m.test(output)) resolve();
    });
    void exited.then(() => reject(new Error('it was never ready')));
  });
  return {
    child,
    readyAfterMs: performance.now() - startedAt,
    httpPort: offset + 80,
    adminPort,
    control,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/** The primary and its workers, each with its fair share of what they hold together (PSS). */
function memoryOf(pid: number): { readonly pid: number; readonly megabytes: number }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children].map((each) => {
    const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'latin1'))?.[1];
    return { pid: each, megabytes: Number(kilobytes) / 1024 };
  });
}

function get(port: number, target: string, agent?: http.Agent): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path: target, agent }, (response) => {
        response.resume().once('end', () => resolve(performance.now() - startedAt));
      })
      .once('error', reject);
  });
}

/** Connections that have had a response, and stay. */
async function openConnections(port: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  const open = async (): Promise<void> => {
    while (sockets.length < CONNECTIONS) {
      const socket = net.connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
      socket.resume();
    }
  };
  await Promise.all(Array.from({ length: 32 }, open));
  return sockets;
}

/** Requests on one connection after the other, and how long each took. */
async function load(port: number, whileAsking?: () => Promise<void>): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const took: number[] = [];
  const endsAt = performance.now() + LOAD_MS;
  const client = async (): Promise<void> => {
    while (performance.now() < endsAt) took.push(await get(port, '/', agent));
  };
  const asking = async (): Promise<void> => {
    while (whileAsking !== undefined && performance.now() < endsAt) {
      await whileAsking();
      await sleep(ASK_EVERY_MS);
    }
  };
  await Promise.all([client(), client(), client(), client(), asking()]);
  agent.destroy();
  return took;
}

const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
const shown = (values: readonly number[]): string =>
  `${at(values, 0.5).toFixed(1)} ms (least ${Math.min(...values).toFixed(1)}, most ${Math.max(...values).toFixed(1)})`;

/** Prints the medians of so many rounds. */
export async function measureUp(rounds: number): Promise<void> {
  const ready: number[] = [];
  const memory: number[][] = [];
  const [statuses, scrapes]: [number[], number[]] = [[], []];
  const [alone, asked]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const family = await start();
    ready.push(family.readyAfterMs);
    await sleep(REST_MS);
    memory.push(memoryOf(family.child.pid ?? 0).map(({ megabytes }) => megabytes));
    const sockets = await openConnections(family.httpPort);
    await load(family.httpPort);
    alone.push(...(await load(family.httpPort)));
    const during = await load(family.httpPort, async () => {
      const startedAt = performance.now();
      const status = await askControl(family.control, { command: 'status' });
      if (!status.ok) throw new Error(status.error);
      statuses.push(performance.now() - startedAt);
      scrapes.push(await get(family.adminPort, '/metrics'));
    });
    asked.push(...during);
    for (const socket of sockets) socket.destroy();
    await family.stop();
  }
  console.log(`Node ${process.versions.node}, ${rounds} rounds, wellknown up with two workers`);
  console.log(`start to ready       ${shown(ready)}`);
  const sums = memory.map((family) => family.reduce((sum, each) => sum + each, 0));
  console.log(
    `memory at rest (PSS) ${at(sums, 0.5).toFixed(0)} MB: ${memory[0]?.map((each) => each.toFixed(0)).join(' + ') ?? ''}`,
  );
  console.log(`with ${CONNECTIONS} connections open:`);
  console.log(`  status             ${shown(statuses)}`);
  console.log(`  GET /metrics       ${shown(scrapes)}`);
  for (const [name, took] of [
    ['alone', alone],
    ['while asked', asked],
  ] as const)
    console.log(
      `  requests ${name.padEnd(12)}${(took.length / rounds / (LOAD_MS / 1000)).toFixed(0)}/s, median ${at(took, 0.5).toFixed(2)} ms, 99 % below ${at(took, 0.99).toFixed(2)} ms`,
    );
}
