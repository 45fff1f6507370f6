// Files of 1 KiB to 100 MiB, each over 1, 8 and 64 connections, from the page cache. Needs wrk.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filePeers } from './http-peers.ts';
import { compare, runClient } from './measure.ts';

const FILES = [
  { name: '1k.txt', byteLength: 1_024 },
  { name: '64k.bin', byteLength: 65_536 },
  { name: '1m.bin', byteLength: 1_048_576 },
  { name: '10m.bin', byteLength: 10_485_760 },
  { name: '100m.bin', byteLength: 104_857_600 },
];
const CONNECTIONS = [1, 8, 64];
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** The comparisons of file servers by name, `http-files-64k` and so on; `only` picks subjects by their name. */
export const fileComparisons = Object.fromEntries(
  FILES.map(({ name, byteLength }) => [
    `http-files-${name.slice(0, name.indexOf('.'))}`,
    async (rounds: number, only: RegExp): Promise<void> => {
      const root = mkdtempSync(join(tmpdir(), 'wellknown-bench-'));
      try {
        writeFileSync(join(root, name), Buffer.alloc(byteLength, 'abcdefghijklmnop'));
        // Old enough to be no file in the making.
        utimesSync(join(root, name), 1_700_000_000, 1_700_000_000);
        const peers = filePeers(root).filter((subject, index) => index === 0 || only.test(subject.name));
        for (const connections of CONNECTIONS)
          await compare(
            `files, ${name} over ${connections}`,
            peers,
            (port) => download(port, name, byteLength, connections),
            rounds,
          );
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  ]),
);

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
