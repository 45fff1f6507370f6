import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, ok, type Result } from '@wellknown/core';
import type { TelnetHandler } from './connection.ts';

const isHandler = (value: unknown): value is TelnetHandler => typeof value === 'function';

/** Loads a module whose default export is a handler. The problem is a sentence for the command line. */
export async function loadHandler(file: string): Promise<Result<TelnetHandler, string>> {
  const path = resolve(file);
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  } catch (error) {
    return fail(
      `--handler ${file}: cannot be loaded from ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (isHandler(module.default)) return ok(module.default);
  return fail(
    `--handler ${file}: its default export is ${module.default === undefined ? 'missing' : 'no function'}, expected async (session) => {}`,
  );
}
