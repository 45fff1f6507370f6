// A hello of thirteen bytes over 64 kept-alive connections, and the same with 16 requests pipelined. Needs wrk.

import { fileURLToPath } from 'node:url';
import { compare, runClient, type Subject } from './measure.ts';

const SUBJECTS: readonly Subject[] = [
  { name: 'node:http', server: 'http-node.mjs' },
  { name: 'wellknown', server: 'http-wellknown.mjs' },
];

const requestsOf = (report: string): number => {
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(report);
  return Number(/(\d+) requests in/.exec(report)?.[1]);
};

/** Compares one request at a time on each connection, then 16 at a time. */
export async function compareHello(rounds: number): Promise<void> {
  const wrk = ['-t1', '-c64', '-d3s'];
  await compare('HTTP hello, keep-alive', SUBJECTS, (port) => Promise.resolve(requestsOf(runClient('wrk', ...wrk, `http://127.0.0.1:${port}/`))), rounds);
  const script = fileURLToPath(new URL('clients/pipeline.lua', import.meta.url));
  await compare('HTTP hello, 16 pipelined', SUBJECTS, (port) => Promise.resolve(requestsOf(runClient('wrk', ...wrk, '-s', script, `http://127.0.0.1:${port}/`))), rounds);
}
