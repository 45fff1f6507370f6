// Files that may be for the primary's eyes only, as the keys of certificates are: with `runAs` workers are another user.
// What the primary has read for them they are given as it is when they start. They name no file themselves.

import { promises as fs } from 'node:fs';

/** In a primary: the files, by the names that the program was given. */
const shared = new Set<string>();
/** In a worker: their contents. */
let given: Readonly<Record<string, string>> = {};

/** Has every worker that starts from now on be given this file. */
export const shareFile = (file: string): void => void shared.add(file);

/** What a worker is given. A file that can't be read by now is left out: the worker says so where it needs it. */
export async function readSharedFiles(): Promise<Readonly<Record<string, string>>> {
  const contents = await Promise.all(
    [...shared].map(async (file): Promise<[string, string][]> => {
      try {
        return [[file, await fs.readFile(file, 'utf8')]];
      } catch {
        return [];
      }
    }),
  );
  return Object.fromEntries(contents.flat());
}

/** In a worker, which has been given them. */
export const takeSharedFiles = (files: Readonly<Record<string, string>>): void => void (given = files);

/** What the primary has read for a worker; undefined where that is not among it. */
export const sharedFile = (file: string): string | undefined => (Object.hasOwn(given, file) ? given[file] : undefined);
