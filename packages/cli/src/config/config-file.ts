// Finding and reading a configuration file, whatever its format. Files are read here; what they say is for
// read-config.ts.

import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fail, fileProblem, ok, type Result } from '@wellknown/core';
import { configFilesThere, FORMATS } from './config-names.ts';
import { loadModule } from './load-module.ts';
import { parseText, type Parsed } from './parse-text.ts';
import { Places } from './places.ts';

export const CONFIG_EXTENSIONS: readonly string[] = Object.keys(FORMATS);

export interface ConfigFile extends Parsed {
  /** As it was given or found. */
  readonly file: string;
}

/**
 * The file that is there: in the working directory, else in /etc/wellknown; undefined where there is none. Two in one
 * folder are a problem: nobody could tell which one counts.
 */
export function findConfigFile(folders?: readonly string[]): Result<string | undefined, string> {
  const found = configFilesThere(folders);
  return found.length > 1
    ? fail(`there is more than one configuration: ${found.join(', ')}; name one of them with --config FILE`)
    : ok(found[0]);
}

/** The file as it is now. The problem is that it can't be read at all; what is wrong in it stands in the answer. */
export async function readConfigFile(file: string): Promise<Result<ConfigFile, string>> {
  const format = FORMATS[path.extname(file).toLowerCase()];
  if (format === undefined)
    return fail(`the configuration '${file}' has none of the endings ${CONFIG_EXTENSIONS.join(', ')}`);
  if (format === 'module') {
    const loaded = await loadModule(path.resolve(file));
    if (!loaded.ok) return fail(`the configuration '${file}' ${loaded.error}`);
    return ok({ file, value: loaded.value, places: new Places(), problems: [] });
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return fail(`the configuration '${file}' ${isMissing ? 'does not exist' : fileProblem('read', error)}`);
  }
  // Another encoding, or no text at all: its parser would tell of signs that nobody wrote.
  if (!isUtf8(bytes) || bytes.includes(0))
    return fail(`the configuration '${file}' is no text in UTF-8: save it as that`);
  return ok({ file, ...(await parseText(new TextDecoder().decode(bytes), format)) });
}
