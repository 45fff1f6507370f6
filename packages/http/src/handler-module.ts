// Loads a user's handler. The only place where code is named by a string.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, ok, type Result } from '@wellknown/core';
import type { FetchHandler } from './handler.ts';

// A module may open its database first; one that takes longer waits for something that never comes, and Node would end
// without a word.
const LOAD_TIMEOUT_MS = 10_000;

/** The handler that the module at `file` exports by default: a function, or an object with a `fetch` method. */
export async function loadHandler(file: string, timeoutMs = LOAD_TIMEOUT_MS): Promise<Result<FetchHandler, string>> {
  const kind = fs.statSync(file, { throwIfNoEntry: false });
  if (kind === undefined) return fail('there is no such file');
  if (!kind.isFile()) return fail('it is not a file');
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    const loaded = await Promise.race([
      import(pathToFileURL(path.resolve(file)).href) as Promise<{ readonly default?: unknown }>,
      timeout,
    ]);
    if (loaded === undefined)
      return fail(`it can't be loaded: after ${timeoutMs / 1000} seconds a top-level await in it still waits`);
    return (
      handlerOf(loaded.default) ?? fail('its default export is neither a function nor an object with a fetch method')
    );
  } catch (error) {
    return fail(`it can't be loaded: ${reasonOf(error, file)}`);
  } finally {
    clearTimeout(timer);
  }
}

function handlerOf(exported: unknown, mayBeWrapped = true): Result<FetchHandler, string> | undefined {
  if (typeof exported === 'function') return ok(exported as FetchHandler);
  if (typeof exported !== 'object' || exported === null) return undefined;
  if ('fetch' in exported && typeof exported.fetch === 'function') {
    const server = exported as { readonly fetch: FetchHandler };
    return ok((request, context) => server.fetch(request, context));
  }
  // A module that a compiler made CommonJS of: Node wraps its exports once more.
  return mayBeWrapped && '__esModule' in exported && 'default' in exported
    ? handlerOf(exported.default, false)
    : undefined;
}

function reasonOf(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file)) {
    return `Node ${process.versions.node} does not read TypeScript, from 22.18 on it does; or compile it to JavaScript`;
  }
  const place = error.stack
    ?.split('\n')
    .find((line) => line.startsWith('    at ') && line.includes(path.basename(file)));
  if (place !== undefined) return `${error.message} (${place.trim()})`;
  // The engine tells nobody but the terminal where.
  return error instanceof SyntaxError ? `${error.message}; 'node --check ${file}' shows where` : error.message;
}
