// Loads a user's handler. The only place where code is named by a string.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, ok, type Result } from '@wellknown/core';
import type { FetchHandler } from './handler.ts';

/** The handler that the module at `file` exports by default: a function, or an object with a `fetch` method. */
export async function loadHandler(file: string): Promise<Result<FetchHandler, string>> {
  let exported: unknown;
  try {
    const loaded = (await import(pathToFileURL(path.resolve(file)).href)) as { readonly default?: unknown };
    exported = loaded.default;
  } catch (error) {
    return fail(`it can't be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof exported === 'function') return ok(exported as FetchHandler);
  if (typeof exported === 'object' && exported !== null && 'fetch' in exported && typeof exported.fetch === 'function') {
    const server = exported as { readonly fetch: FetchHandler };
    return ok((request, context) => server.fetch(request, context));
  }
  return fail('its default export is neither a function nor an object with a fetch method');
}
