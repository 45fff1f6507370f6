// What core costs on top of bare node:net: short connections, bulk echo, and memory of idle connections.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compare, compareIdleMemory, runClient, type Subject } from './measure.ts';

const NET: Subject = { name: 'bare node:net', server: 'stream-net.mjs' };
const CORE: Subject = { name: 'core, this process', server: 'stream-wellknown.mjs' };
const SUBJECTS: readonly Subject[] = [
  NET,
  CORE,
  { name: 'core, 1 worker', server: 'stream-wellknown.mjs', arguments: ['1'] },
  { name: 'bare node:net, 2 processes', server: 'stream-net.mjs', arguments: ['2'] },
  { name: 'core, 2 workers', server: 'stream-wellknown.mjs', arguments: ['2'] },
  { name: 'node:cluster, 1 worker', server: 'stream-cluster.mjs', arguments: ['1'] },
  { name: 'node:cluster, 2 workers', server: 'stream-cluster.mjs', arguments: ['2'] },
];
const CONNECTIONS = 15_000;
const CHUNKS = 12_000;

const client = (name: string, count: number) => {
  const program = fileURLToPath(new URL(`clients/${name}`, import.meta.url));
  return (port: number): Promise<number> =>
    Promise.resolve(Number(runClient(process.execPath, program, String(port), String(count))));
};

/** Compares connect, echo, close. */
export const compareConnections = (rounds: number): Promise<void> =>
  compare('connect, echo 5 bytes, close', SUBJECTS, client('connect-echo-close.mjs', CONNECTIONS), rounds);

/** Compares bulk echo. */
export const compareBulk = (rounds: number): Promise<void> =>
  compare('echo of 64 KiB chunks', [NET, CORE], client('echo-chunks.mjs', CHUNKS), rounds);

/** Compares the memory of idle connections; few rounds suffice. */
export async function compareIdle(rounds: number): Promise<void> {
  const program = fileURLToPath(new URL('clients/idle.mjs', import.meta.url));
  // Node raises its limit of open files as far as it may. A server keeps an eighth of it back, and bare processes take
  // turns as they like: with six, none of them has more than it can open.
  const maxOpen =
    Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]) * 0.85;
  for (const count of [10_000, 50_000]) {
    const holders = Math.ceil(count / Math.min(maxOpen, 20_000));
    const processes = Math.ceil(count / maxOpen) * 2;
    const subjects =
      count <= maxOpen
        ? [NET, CORE]
        : [
            { ...NET, arguments: [`${processes}`] },
            { ...CORE, name: 'core', arguments: [`${processes}`] },
          ];
    await compareIdleMemory(subjects, program, { count, holders, rounds: Math.min(rounds, 3) });
  }
}
