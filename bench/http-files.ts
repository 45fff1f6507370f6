// Files of 1 KiB to 100 MiB, each over 1, 8 and 64 connections, from the page cache, and what else is asked of file
// servers: whether a file is still the same, files that are not there, parts. Needs wrk.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wrk } from './http-handlers.ts';
import { filePeers } from './http-peers.ts';
import { compare, runClient, type Subject } from './measure.ts';

const FILES = [
  { name: '1k.txt', byteLength: 1_024 },
  { name: '64k.bin', byteLength: 65_536 },
  { name: '1m.bin', byteLength: 1_048_576 },
  { name: '10m.bin', byteLength: 10_485_760 },
  { name: '100m.bin', byteLength: 104_857_600 },
];
const CONNECTIONS = [1, 8, 64];

interface Answer {
  readonly name: string;
  readonly title: string;
  readonly status: number;
  readonly path: string;
  /** Of each request. */
  readonly fields: (port: number) => Promise<Readonly<Record<string, string>>>;
}

const ANSWERS: readonly Answer[] = [
  { name: '304', title: 'not modified', status: 304, path: '/1m.bin', fields: tagOf },
  { name: '404', title: 'not found', status: 404, path: '/missing.bin', fields: () => Promise.resolve({}) },
  {
    name: 'range',
    title: '16 KiB in the middle of 1 MiB',
    status: 206,
    path: '/1m.bin',
    fields: () => Promise.resolve({ Range: 'bytes=500000-516383' }),
  },
];
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

type Comparison = (rounds: number, only: RegExp) => Promise<void>;

/** A comparison with one file in the root. */
const withFile =
  (name: string, byteLength: number, run: (root: string, rounds: number, only: RegExp) => Promise<void>): Comparison =>
  async (rounds, only) => {
    const root = mkdtempSync(join(tmpdir(), 'wellknown-bench-'));
    try {
      writeFileSync(join(root, name), Buffer.alloc(byteLength, 'abcdefghijklmnop'));
      // Old enough to be no file in the making.
      utimesSync(join(root, name), 1_700_000_000, 1_700_000_000);
      await run(root, rounds, only);
    } finally {
      rmSync(root, { recursive: true });
    }
  };

const chosen = (subjects: readonly Subject[], only: RegExp): Subject[] =>
  subjects.filter((subject, index) => index === 0 || only.test(subject.name));

const downloads = FILES.map(({ name, byteLength }): [string, Comparison] => [
  `http-files-${name.slice(0, name.indexOf('.'))}`,
  withFile(name, byteLength, async (root, rounds, only) => {
    for (const connections of CONNECTIONS)
      await compare(
        `files, ${name} over ${connections}`,
        chosen(filePeers(root), only),
        (port) => download(port, name, byteLength, connections),
        rounds,
      );
  }),
]);

/** The other answers of file servers, over 64 connections: `status` for each request of `path` with `headers`. */
const answers = ANSWERS.map(({ name, title, status, path, fields }): [string, Comparison] => [
  `http-files-${name}`,
  withFile('1m.bin', 1_048_576, (root, rounds, only) =>
    compare(
      `files, ${title}`,
      chosen(filePeers(root).filter(isFileServer), only),
      async (port) => {
        const headers = await fields(port);
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
        if (response.status !== status) throw new Error(`${response.status} in the place of ${status}`);
        await response.arrayBuffer();
        const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
        return wrk(port, path, options, status);
      },
      rounds,
    ),
  ),
]);

/** The comparisons of file servers by name, `http-files-64k` and so on; `only` picks subjects by their name. */
export const fileComparisons = Object.fromEntries([...downloads, ...answers]);

async function tagOf(port: number): Promise<Readonly<Record<string, string>>> {
  const response = await fetch(`http://127.0.0.1:${port}/1m.bin`, { method: 'HEAD' });
  return { 'If-None-Match': response.headers.get('etag') ?? '' };
}

/** Not one that writes the same whatever it is asked. */
const isFileServer = ({ server }: Subject): boolean => server !== 'http-net.mjs' && server !== 'http-loop.mjs';

/** Runs wrk and tells how many files it has read, by their bytes: many are under way when it stops. */
function download(port: number, name: string, byteLength: number, connections: number): Promise<number> {
  const report = runClient(
    'wrk',
    '-t1',
    `-c${connections}`,
    '-d3s',
    '--timeout',
    '60s',
    `http://127.0.0.1:${port}/${name}`,
  );
  const [, read, unit = ''] = /, ([0-9.]+)([KMGB]+) read/.exec(report) ?? [];
  if (read === undefined || /Non-2xx|Socket errors/.test(report)) throw new Error(report);
  return Promise.resolve((Number(read) * (UNITS[unit] ?? 1)) / byteLength);
}
