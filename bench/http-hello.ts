// A hello of thirteen bytes over 64 kept-alive connections: alone, 16 pipelined, and with 40 header lines. Needs wrk.

import { fileURLToPath } from 'node:url';
import { peersFor } from './http-peers.ts';
import { compare, runClient } from './measure.ts';

/** Runs wrk and tells how many requests were answered. Throws when one was not. */
export function wrk(port: number, path: string, ...options: readonly string[]): Promise<number> {
  const report = runClient(
    'wrk',
    '-t1',
    '-c64',
    '-d3s',
    '--timeout',
    '10s',
    ...options,
    `http://127.0.0.1:${port}${path}`,
  );
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(report);
  return Promise.resolve(Number(/(\d+) requests in/.exec(report)?.[1]));
}

/** Options for wrk to load a script of bench/clients. */
export const withScript = (name: string): string[] => [
  '-s',
  fileURLToPath(new URL(`clients/${name}`, import.meta.url)),
];

/**
 * One request at a time on each connection, then 16 at a time, then heads of 40 lines: the same again and again, and
 * each another.
 */
export async function compareHello(rounds: number): Promise<void> {
  const peers = peersFor('hello');
  await compare('HTTP hello, keep-alive', peers, (port) => wrk(port, '/'), rounds);
  await compare('HTTP hello, 16 pipelined', peers, (port) => wrk(port, '/', ...withScript('pipeline.lua')), rounds);
  await compare('HTTP hello, 40 header lines', peers, (port) => wrk(port, '/', ...withScript('heads.lua')), rounds);
  await compare(
    'HTTP hello, 40 header lines, each time others',
    peers,
    (port) => wrk(port, '/', ...withScript('varied-heads.lua')),
    rounds,
  );
}

/** A POST of 1 KiB of text that comes back. */
export const compareEcho = (rounds: number): Promise<void> =>
  compare('HTTP echo, POST of 1 KiB', peersFor('echo'), (port) => wrk(port, '/', ...withScript('echo.lua')), rounds);
