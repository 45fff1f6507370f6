// Whether a file can be run, found out before it is: what is not there ends otherwise as an exit status that its reader
// can't tell from the program's own.

import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import path from 'node:path';

/** Why the program can't be started in `directory`, in a few words; undefined where nothing is known against it. */
export async function problemOfProgram(file: string, directory?: string): Promise<string | undefined> {
  if (directory !== undefined && !(await isDirectory(directory))) return `its directory ${directory} is not there`;
  // A name without a folder is looked for in PATH.
  if (!file.includes('/')) return (await isInPath(file)) ? undefined : 'it is not in PATH';
  const problem = await problemOf(path.resolve(directory ?? '.', file));
  if (problem !== undefined) return problem;
  const interpreter = await interpreterOf(path.resolve(directory ?? '.', file));
  const itsProblem = interpreter === undefined ? undefined : await problemOf(interpreter);
  return itsProblem === undefined ? undefined : `its interpreter ${interpreter}: ${itsProblem}`;
}

async function problemOf(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return 'it is not a regular file, expected a program';
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
    return code === 'EACCES' ? 'this user may not run it (EACCES)' : `it can't be looked at (${code})`;
  }
}

const isDirectory = async (name: string): Promise<boolean> => (await statOrNone(name))?.isDirectory() ?? false;
const statOrNone = (name: string) => stat(name).catch(() => undefined);

async function isInPath(name: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter))
    if (folder !== '' && (await problemOf(path.join(folder, name))) === undefined) return true;
  return false;
}

// Linux reads no more of the first line.
const MAX_FIRST_LINE_BYTES = 256;

/** The program that runs a script (`#!`); undefined for other files, and for those that can be run but not read. */
async function interpreterOf(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_FIRST_LINE_BYTES), 0, MAX_FIRST_LINE_BYTES, 0);
      return /^#![ \t]*(\/[^ \t\n]*)/.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
