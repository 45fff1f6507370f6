// FTP servers on one folder, from the page cache: transfers large and small, in clear and over TLS, logins, listings of
// 10,000 entries, idle sessions. vsftpd has a process for each session, whose time counts. Needs python3-pyftpdlib (with
// python3-openssl) and vsftpd, the latter as root, and openssl.

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.ts';
import { compare, CLIENT_CORE, median, processesOf, runClient, startServer, type Subject } from './measure.ts';

interface FtpLoad {
  readonly title: string;
  /** Operations of one round, and of the one before it that warms up: enough that little is still being compiled. */
  readonly count: number;
  /** Of what is transferred. */
  readonly bytes?: number;
  /** Those that can't. */
  readonly without?: readonly string[];
}

const MIB = 1024 * 1024;
// The floor knows no TLS and no listings.
const FLOOR = 'net';

const LOADS: Readonly<Record<string, FtpLoad>> = {
  retr: { title: 'RETR of 1 GiB', count: 1, bytes: 1024 * MIB },
  stor: { title: 'STOR of 1 GiB', count: 1, bytes: 1024 * MIB },
  'retr-64m': { title: 'RETR of 64 MiB', count: 8, bytes: 64 * MIB },
  'stor-64m': { title: 'STOR of 64 MiB', count: 8, bytes: 64 * MIB },
  'small-retr': { title: 'RETR of 4 KiB', count: 3_000, bytes: 4096 },
  'small-stor': { title: 'STOR of 4 KiB', count: 1_000, bytes: 4096 },
  login: { title: 'connect, login, quit', count: 3_000 },
  noop: { title: 'NOOP', count: 30_000 },
  list: { title: 'LIST of 10,000 entries', count: 10, without: [FLOOR] },
  mlsd: { title: 'MLSD of 10,000 entries', count: 10, without: ['vsftpd', 'ftp-srv', FLOOR] },
  // Smaller, since the client has to encrypt them too.
  'tls-retr': { title: 'RETR of 64 MiB over TLS', count: 3, bytes: 64 * MIB, without: [FLOOR] },
  'tls-stor': { title: 'STOR of 64 MiB over TLS', count: 3, bytes: 64 * MIB, without: [FLOOR] },
  'tls-small-retr': { title: 'RETR of 4 KiB over TLS', count: 200, bytes: 4096, without: [FLOOR] },
};
const IDLE_SESSIONS = [300, 3_000];

const CLIENT = fileURLToPath(new URL('clients/ftp-load.mjs', import.meta.url));
const PEERS = ['wellknown', 'pyftpdlib', 'vsftpd', 'ftp-srv', FLOOR];

interface Folder {
  readonly root: string;
  readonly certificates: string;
  remove(): void;
}

/** What all servers serve, as far as this load asks for it, and a certificate. */
function makeFolder(what: string): Folder {
  const folder = mkdtempSync(join(tmpdir(), 'wellknown-bench-ftp-'));
  const [root, certificates] = [join(folder, 'root'), join(folder, 'tls')];
  for (const each of [root, certificates, join(root, 'in'), join(root, 'many')]) mkdirSync(each);
  chmodSync(folder, 0o755);
  const part = Buffer.alloc(64 * MIB, 'abcdefgh');
  const { bytes = 0 } = LOADS[what] ?? {};
  for (let at = part.length; at <= bytes && what.includes('retr'); at += part.length)
    writeFileSync(join(root, 'big'), part, { flag: 'a' });
  writeFileSync(join(root, 'small'), part.subarray(0, 4096));
  for (let index = 0; index < 10_000 && /^(list|mlsd)$/.test(what); index += 1)
    writeFileSync(join(root, `many/file-${index}`), 'x');
  makeCertificate(certificates);
  writeFileSync(
    join(certificates, 'all.pem'),
    ['key.pem', 'cert.pem'].map((name) => readFileSync(join(certificates, name))).join(''),
  );
  return {
    root,
    certificates,
    remove() {
      chmodSync(root, 0o755);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Compares FTP servers by the CPU time for each operation of one kind. */
export const ftpComparisons: Readonly<Record<string, (rounds: number, only: RegExp) => Promise<void>>> = {
  ...Object.fromEntries(
    Object.entries(LOADS).map(([what, { title, count, bytes = 0, without = [] }]) => [
      `ftp-${what}`,
      async (rounds: number, only: RegExp): Promise<void> => {
        const folder = makeFolder(what);
        try {
          const load = (port: number): Promise<number> =>
            Promise.resolve(
              Number(runClient(process.execPath, CLIENT, String(port), what, String(count), String(bytes))),
            );
          const names = PEERS.filter((name) => !without.includes(name) && (name === PEERS[0] || only.test(name)));
          await compare(
            title,
            names.map((name) => subjectOf(name, folder, what.startsWith('tls-'))),
            load,
            rounds,
          );
        } finally {
          folder.remove();
        }
      },
    ]),
  ),
  'ftp-idle': compareIdleSessions,
};

const subjectOf = (name: string, { root, certificates }: Folder, isPrivate: boolean): Subject => ({
  name,
  server: `ftp-${name}.mjs`,
  arguments: isPrivate ? [root, certificates] : [root],
});

/** Resident memory of a process and its children, what several share divided among them. */
const residentBytes = (pid: number): number =>
  processesOf(pid).reduce((sum, each) => {
    const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'utf8')) ?? [];
    return sum + Number(kilobytes) * 1024;
  }, 0);

/** Prints bytes of resident memory for each session that is logged in and does nothing; the first hundred warm it up. */
async function compareIdleSessions(rounds: number, only: RegExp): Promise<void> {
  const folder = makeFolder('idle');
  try {
    for (const count of IDLE_SESSIONS) {
      console.log(
        `\nmemory for each of ${count} idle sessions (node ${process.version}, ${rounds} rounds, bytes: min median max)`,
      );
      // Three thousand processes are another matter.
      const names = PEERS.filter(
        (name) => name !== FLOOR && (name !== 'vsftpd' || count < 1_000) && (name === PEERS[0] || only.test(name)),
      );
      const results = new Map<string, number[]>(names.map((name) => [name, []]));
      for (let round = 0; round < rounds; round += 1)
        for (const name of names) results.get(name)?.push(await idleBytes(subjectOf(name, folder, false), count));
      for (const [name, values] of results)
        console.log(
          `  ${name.padEnd(28)} ${[Math.min(...values), median(values), Math.max(...values)].map((bytes) => bytes.toFixed(0).padStart(9)).join('')}`,
        );
    }
  } finally {
    folder.remove();
  }
}

async function idleBytes(subject: Subject, count: number): Promise<number> {
  const { port, pid, stop } = await startServer(subject);
  const closers: (() => Promise<unknown>)[] = [];
  const hold = async (sessions: number): Promise<void> => {
    const client = spawn(
      'taskset',
      ['-c', CLIENT_CORE, process.execPath, CLIENT, String(port), 'idle', String(sessions)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    closers.push(() => {
      client.stdin.end();
      return new Promise((resolve) => client.once('close', resolve));
    });
    await new Promise((resolve, reject) => {
      client.stdout.once('data', resolve);
      client.once('exit', () => reject(new Error('the client has ended')));
    });
  };
  try {
    await hold(100);
    const before = residentBytes(pid);
    await hold(count);
    return (residentBytes(pid) - before) / count;
  } finally {
    for (const close of closers) await close();
    await stop();
  }
}
