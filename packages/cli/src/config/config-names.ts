// Where a configuration is looked for. It imports next to nothing: the start asks it before anything else is loaded.

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TextFormat } from './parse-text.ts';

export const FORMATS: Readonly<Record<string, TextFormat | 'module'>> = {
  '.ts': 'module',
  '.mts': 'module',
  '.js': 'module',
  '.mjs': 'module',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.toml': 'toml',
};

const BASE_NAME = 'wellknown.config';
/** The working directory, and the one of the system. */
const FOLDERS = ['.', '/etc/wellknown'];

/** The files that are there, in the first folder that has one. */
export function configFilesThere(folders: readonly string[] = FOLDERS): readonly string[] {
  const inFolder = (folder: string): readonly string[] =>
    Object.keys(FORMATS)
      .map((extension) => path.join(folder, BASE_NAME + extension))
      .filter((file) => existsSync(file));
  return folders.map(inFolder).find((files) => files.length > 0) ?? [];
}
