// Files of 1 KiB, 64 KiB and 100 MiB, from the page cache. Needs wrk.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wrk } from './http-handlers.ts';
import { filePeers } from './http-peers.ts';
import { compare } from './measure.ts';

const FILES = [
  { name: '1k.txt', byteLength: 1_024, connections: 64 },
  { name: '64k.bin', byteLength: 65_536, connections: 16 },
  { name: '100m.bin', byteLength: 104_857_600, connections: 2 },
];

/** Compares file servers by the CPU time for each file. */
export async function compareFiles(rounds: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'wellknown-bench-'));
  try {
    for (const { name, byteLength } of FILES) {
      writeFileSync(join(root, name), Buffer.alloc(byteLength, 'abcdefghijklmnop'));
      // Old enough to be no file in the making.
      utimesSync(join(root, name), 1_700_000_000, 1_700_000_000);
    }
    for (const { name, connections } of FILES)
      await compare(`files, ${name}`, filePeers(root), (port) => wrk(port, `/${name}`, `-c${connections}`), rounds);
  } finally {
    rmSync(root, { recursive: true });
  }
}
