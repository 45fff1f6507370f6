// Renaming on the disk, also from one mounted file system to another, where the system only says EXDEV: there it is copied
// under the name of a part, takes its name when it is whole, and only then goes away where it was.

import { constants, promises as fs, type Stats } from 'node:fs';
import { decodeName, nameForSystem } from '../charset.ts';
import { timeForSystem } from './disk-calls.ts';
import { newPartName } from './disk-parts.ts';
import type { Spot } from './disk-place.ts';
import { Refusal } from './errno-map.ts';

const BUFFER_BYTES = 256 * 1024;

/** Moves what is at `from` to `to`, where nothing is or a file that it replaces. */
export async function move(from: Spot, to: Spot, stats: Stats): Promise<void> {
  try {
    await fs.rename(from.path(), to.path());
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await moveByCopy(from, to, stats);
  }
}

/** The same without asking for a rename first. */
export async function moveByCopy(from: Spot, to: Spot, stats: Stats): Promise<void> {
  const part = to.path(newPartName());
  try {
    await copy(from.path(), part, stats);
    await fs.rename(part, to.path());
  } catch (error) {
    await fs.rm(part, { recursive: true, force: true });
    throw error;
  }
  await fs.rm(from.path(), { recursive: true });
}

async function copy(from: string | Buffer, to: string | Buffer, stats: Stats): Promise<void> {
  if (stats.isSymbolicLink()) {
    await fs.symlink(await fs.readlink(from, 'buffer'), to);
    return;
  }
  if (stats.isFile()) await copyFile(from, to);
  else if (stats.isDirectory()) await copyDirectory(from, to);
  // Pipes, sockets and devices don't exist here.
  else throw new Refusal('denied');
  await fs.chmod(to, stats.mode & 0o7777);
  await fs.utimes(to, timeForSystem(stats.atimeMs), timeForSystem(stats.mtimeMs));
  await fs.chown(to, stats.uid, stats.gid).catch(() => undefined);
}

async function copyDirectory(from: string | Buffer, to: string | Buffer): Promise<void> {
  await fs.mkdir(to, 0o700);
  const below = (directory: string | Buffer, name: string): string | Buffer =>
    nameForSystem(`${typeof directory === 'string' ? directory : decodeName(directory)}/${name}`);
  for (const bytes of await fs.readdir(from, { encoding: 'buffer' })) {
    const name = decodeName(bytes);
    const child = below(from, name);
    await copy(child, below(to, name), await fs.lstat(child));
  }
}

async function copyFile(from: string | Buffer, to: string | Buffer): Promise<void> {
  const source = await fs.open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const target = await fs.open(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) break;
        for (let written = 0; written < bytesRead;)
          written += (await target.write(buffer, written, bytesRead - written)).bytesWritten;
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
