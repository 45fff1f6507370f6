// Loads a user's module that --handler names: the only place where code is named by a string. A protocol package says
// what the default export has to be; every problem is a sentence that names the file, what was found and what is
// expected.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { codeOf } from '../errors.ts';
import { fail, ok, type Result } from '../result.ts';

export interface HandlerModuleOptions<Handler> {
  /** What the default export has to be, for the message: 'a function'. */
  readonly expected: string;
  /** The handler in what a module exports by default, undefined where there is none. Must not throw. */
  readonly pick: (exported: unknown) => Handler | undefined;
  /** How long the module may take to load. */
  readonly timeoutMs?: number;
}

// A module may open its database first, and a large application on a busy machine needs its time too; one that takes
// longer waits for something that never comes, and Node would end without a message.
const LOAD_TIMEOUT_MS = 60_000;

/**
 * The handler that the module at `file` exports by default. Runs the module, as `import()` does. Never rejects: the
 * error is a sentence for the user that begins with the option.
 */
export async function loadHandlerModule<Handler>(
  file: string,
  options: HandlerModuleOptions<Handler>,
): Promise<Result<Handler, string>> {
  const problem = problemOfFile(file);
  const loaded = problem === undefined ? await importWithin(options.timeoutMs ?? LOAD_TIMEOUT_MS, file) : fail(problem);
  const handler = loaded.ok ? pickHandler(loaded.value, options) : loaded;
  return handler.ok ? handler : fail(`--handler ${file}: ${handler.error}`);
}

interface LoadedModule {
  readonly default?: unknown;
}

/**
 * Why the file can't be a module. Asked before Node loads it: Node's own messages name files inside this package, and
 * for a file that can't be read some of its versions print a stack trace.
 */
function problemOfFile(file: string): string | undefined {
  try {
    const stats = fs.statSync(file);
    if (stats.isDirectory()) return 'it is a directory, expected a JavaScript file';
    // A FIFO would never end.
    if (!stats.isFile()) return 'it is not a regular file, expected a JavaScript file';
    fs.accessSync(file, fs.constants.R_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
    return `it can't be read${code === 'EACCES' ? ' by this user' : ''} (${code === '' ? String(error) : code})`;
  }
}

async function importWithin(timeoutMs: number, file: string): Promise<Result<LoadedModule, string>> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    const loaded = await Promise.race([
      import(pathToFileURL(path.resolve(file)).href) as Promise<LoadedModule>,
      timeout,
    ]);
    return loaded === undefined
      ? fail(`it can't be loaded: after ${timeoutMs / 1000} seconds it still loads, or a top-level await in it waits`)
      : ok(loaded);
  } catch (error) {
    return fail(`it can't be loaded: ${reasonOf(error, file)}`);
  } finally {
    clearTimeout(timer);
  }
}

function pickHandler<Handler>(
  loaded: LoadedModule,
  { pick, expected }: HandlerModuleOptions<Handler>,
): Result<Handler, string> {
  const exported = unwrapped(loaded.default);
  const handler = pick(exported);
  if (handler !== undefined) return ok(handler);
  if (exported !== undefined) return fail(`its default export is ${kindOf(exported)}, expected ${expected}`);
  const names = Object.keys(loaded).filter((name) => name !== 'default');
  const others = names.length === 0 ? '' : ` (the module exports ${names.join(', ')})`;
  return fail(`its default export is missing${others}, expected ${expected}`);
}

/** A module that a compiler made CommonJS of: Node wraps its exports once more. */
const unwrapped = (exported: unknown): unknown =>
  typeof exported === 'object' && exported !== null && '__esModule' in exported && 'default' in exported
    ? exported.default
    : exported;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function reasonOf(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  if (codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file))
    return `Node ${process.versions.node} does not read TypeScript, from 22.18 on it does; or compile it to JavaScript`;
  if (codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION')
    return `${error.message}; expected a JavaScript file, whose name ends in .js, .mjs or .cjs`;
  const place = error.stack
    ?.split('\n')
    .find((line) => line.startsWith('    at ') && line.includes(path.basename(file)));
  if (place !== undefined) return `${error.message} (${place.trim()})`;
  // Node shows the place in a terminal only.
  return error instanceof SyntaxError ? `${error.message}; 'node --check ${file}' shows where` : error.message;
}
