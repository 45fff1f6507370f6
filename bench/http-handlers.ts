// Handlers over 64 kept-alive connections: the same handler for every server, with the platform's classes. Needs wrk.

import { fileURLToPath } from 'node:url';
import { peersFor, type Duty } from './http-peers.ts';
import { compare, runClient } from './measure.ts';

/** Runs wrk and tells how many requests were answered. Throws when one was not, or by an error where none is wanted. */
export function wrk(port: number, path: string, options: readonly string[] = [], wanted = 200): Promise<number> {
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
  if (report.includes('Socket errors') || (wanted < 400 && report.includes('Non-2xx'))) throw new Error(report);
  return Promise.resolve(Number(/(\d+) requests in/.exec(report)?.[1]));
}

/** Options for wrk to load a script of bench/clients. */
const withScript = (name: string): string[] => ['-s', fileURLToPath(new URL(`clients/${name}`, import.meta.url))];

interface Comparison {
  readonly title: string;
  readonly duty: Duty;
  readonly path?: string;
  /** Of bench/clients, for wrk. */
  readonly script?: string;
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  hello: { title: 'hello', duty: 'hello' },
  pipelined: { title: 'hello, 16 pipelined', duty: 'hello', script: 'pipeline.lua' },
  'pipelined-async': { title: 'hello after a promise, 16 pipelined', duty: 'async', script: 'pipeline.lua' },
  heads: { title: 'hello, 40 header lines', duty: 'hello', script: 'heads.lua' },
  'varied-heads': { title: 'hello, 40 header lines, each time others', duty: 'hello', script: 'varied-heads.lua' },
  json: { title: 'JSON', duty: 'json' },
  post: { title: 'POST of 1 KiB', duty: 'post', script: 'post.lua' },
  hono: { title: 'a Hono router and three of middleware', duty: 'hono', path: '/api/users/7?page=2' },
  stream: { title: 'a stream of three pieces', duty: 'stream' },
};

/** The comparisons of handlers by name, each beginning with `http-`. `only` picks subjects by their name. */
export const handlerComparisons = Object.fromEntries(
  Object.entries(COMPARISONS).map(([name, { title, duty, path = '/', script }]) => [
    `http-${name}`,
    (rounds: number, only: RegExp): Promise<void> =>
      compare(
        `HTTP, ${title}`,
        peersFor(duty).filter((subject, index) => index === 0 || only.test(subject.name)),
        (port) => wrk(port, path, script === undefined ? [] : withScript(script)),
        rounds,
      ),
  ]),
);
