// FTP servers on one folder, from the page cache: transfers large and small, logins, listings of 10,000 entries. vsftpd
// has a process for each session, whose time counts. Needs python3-pyftpdlib and vsftpd, the latter as root.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, runClient, type Subject } from './measure.ts';

const LOADS = [
  { what: 'retr', title: 'RETR of 1 GiB', count: 1 },
  { what: 'stor', title: 'STOR of 1 GiB', count: 1 },
  { what: 'small-retr', title: 'RETR of 4 KiB', count: 1_000 },
  { what: 'small-stor', title: 'STOR of 4 KiB', count: 1_000 },
  { what: 'login', title: 'connect, login, quit', count: 300 },
  { what: 'noop', title: 'NOOP', count: 10_000 },
  { what: 'list', title: 'LIST of 10,000 entries', count: 5 },
  { what: 'mlsd', title: 'MLSD of 10,000 entries', count: 5 },
] as const;

const CLIENT = fileURLToPath(new URL('clients/ftp-load.mjs', import.meta.url));

/** Compares FTP servers by the CPU time for each operation. */
export async function compareFtp(rounds: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'wellknown-bench-ftp-'));
  try {
    chmodSync(root, 0o755);
    for (const folder of ['in', 'many']) mkdirSync(join(root, folder));
    const part = Buffer.alloc(64 * 1024 * 1024, 'abcdefgh');
    for (let at = 0; at < 16; at += 1) writeFileSync(join(root, 'big'), part, { flag: 'a' });
    writeFileSync(join(root, 'small'), part.subarray(0, 4096));
    for (let index = 0; index < 10_000; index += 1) writeFileSync(join(root, `many/file-${index}`), 'x');
    const peers: readonly Subject[] = ['wellknown', 'pyftpdlib', 'vsftpd'].map((name) => ({
      name,
      server: `ftp-${name}.mjs`,
      arguments: [root],
    }));
    for (const { what, title, count } of LOADS) {
      // vsftpd knows no MLSD.
      const subjects = what === 'mlsd' ? peers.filter(({ name }) => name !== 'vsftpd') : peers;
      const load = (port: number): Promise<number> =>
        Promise.resolve(Number(runClient(process.execPath, CLIENT, String(port), what, String(count))));
      await compare(title, subjects, load, rounds);
    }
  } finally {
    chmodSync(root, 0o755);
    rmSync(root, { recursive: true });
  }
}
