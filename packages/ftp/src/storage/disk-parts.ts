// What an unfinished upload is called on the disk, whose it is, and how the parts of a server that was killed go away.
//
// The name tells the process: its number, when it was started, and which system of processes that number is of. A part
// is removed only when its process is known to be gone, or, for one of another system (a container before its restart,
// another machine on the same network disk), when nothing was written to it for an hour: uploads that stall are cut long
// before.

import { createHash, randomBytes } from 'node:crypto';
import { promises as fs, readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

const PART = /^\.wellknown-(?:([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]{8})-)?[0-9a-f]{16}\.part$/;
const FOREIGN_PART_MS = 3_600_000;

/** True for the name of a part. Never listed, and never read or written by name. */
export const isPartName = (name: string): boolean => name.endsWith('.part') && PART.test(name);

let mine: string | undefined;
const ours = (): string => (mine ??= systemOfProcesses());

// Asked for with each upload: `process.pid` is a call to the system each time, and so are random bytes.
let prefix: string | undefined;
const ownPrefix = (): string =>
  (prefix ??= `.wellknown-${process.pid.toString(16)}-${(startOf(process.pid) ?? 0).toString(16)}-${ours()}-`);

// Where neither the system's processes nor their starts can be told apart, two of them have different numbers still.
const series = randomBytes(4).toString('hex');
let parts = 0;

/** The name of a new part. */
export function newPartName(): string {
  parts = (parts + 1) >>> 0;
  return `${ownPrefix()}${series}${parts.toString(16).padStart(8, '0')}.part`;
}

/** True for a part of this process. */
export const isOwnPart = (name: string): boolean => name.startsWith(ownPrefix());

/** Process numbers mean something within one boot of one machine, and there within one namespace. */
function systemOfProcesses(): string {
  const facts = [os.hostname()];
  if (process.platform === 'linux') {
    for (const ask of [
      () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'),
      () => readlinkSync('/proc/self/ns/pid'),
    ]) {
      try {
        facts.push(ask());
      } catch {
        // Without /proc the name of the machine has to do.
      }
    }
  }
  return createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 8);
}

/** When a process was started, in ticks since boot; undefined when there is none, 0 where the system does not tell. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Field 22; the second one, the command, may hold spaces and ends at the last parenthesis.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return isRunning(pid) ? 0 : undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether nobody will finish this part. */
export async function isAbandoned(name: string, file: string | Buffer): Promise<boolean> {
  const [, pid, start, system] = PART.exec(name) ?? [];
  if (pid !== undefined && start !== undefined && system === ours()) {
    const running = startOf(Number.parseInt(pid, 16));
    return running === undefined || running !== Number.parseInt(start, 16);
  }
  const { mtimeMs } = await fs.lstat(file);
  return Date.now() - mtimeMs > FOREIGN_PART_MS;
}

/** Removes a part if nobody will finish it; resolves with whether it is gone. */
export async function removeAbandoned(name: string, file: string | Buffer): Promise<boolean> {
  try {
    if (!(await isAbandoned(name, file))) return false;
    // A part of a directory that was being copied is a directory.
    await fs.rm(file, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes what uploads of a killed server have left under `root`, and resolves with how many there were. A server calls it
 * once when it starts, and need not wait for it: what it has not come to yet is removed when its directory is listed or
 * removed. Follows no links, and passes over what it may not read.
 */
export async function sweepUploads(root: string): Promise<number> {
  let removed = 0;
  const directories = [root];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const entries = await fs.readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const file = `${directory}/${entry.name}`;
      if (isPartName(entry.name)) removed += (await removeAbandoned(entry.name, file)) ? 1 : 0;
      else if (entry.isDirectory()) directories.push(file);
    }
  }
  return removed;
}
