// A configuration that is a module. It runs in a thread of its own, so that each reload runs it anew with all that it
// imports, and none of it stays in the supervisor. What comes back is data.

import { access } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { fail, ok, type Result } from '@wellknown/core';

// As for a handler's module: one that takes longer waits for something that never comes.
const LOAD_TIMEOUT_MS = 60_000;

// jiti is an optional peer, for Node versions that do not read TypeScript.
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const load = async () => {
  if (!workerData.needsJiti) return import(workerData.url);
  const { createRequire } = require('node:module');
  const { pathToFileURL } = require('node:url');
  let file;
  try {
    file = createRequire(workerData.url).resolve('jiti');
  } catch (error) {
    throw Object.assign(error, { code: 'NO_JITI' });
  }
  const loaded = await import(pathToFileURL(file).href);
  return (loaded.createJiti ?? loaded.default.createJiti)(workerData.url).import(workerData.url);
};
load().then(async (module) => {
  const exported = module.default;
  const value = typeof exported === 'function' ? await exported() : await exported;
  const unfit = [];
  const text = JSON.stringify(value, (key, one) => {
    if (['function', 'symbol', 'bigint'].includes(typeof one)) unfit.push([key, typeof one]);
    return typeof one === 'bigint' ? String(one) : one;
  });
  parentPort.postMessage({ text, unfit });
}).catch((error) => {
  const message = error instanceof Error ? error.message : String(error);
  const place = error?.stack?.split('\\n').find((line) => line.startsWith('    at ') && line.includes(workerData.url));
  const where = place === undefined ? '' : ' (' + place.trim() + ')';
  const isSyntax = error instanceof SyntaxError;
  parentPort.postMessage({ error: message.split('\\n', 1)[0] + where, code: error?.code, isSyntax });
}).finally(() => process.exit());
`;

interface Answer {
  readonly text?: string;
  readonly unfit?: readonly (readonly [key: string, type: string])[];
  readonly error?: string;
  readonly code?: string;
  readonly isSyntax?: boolean;
}

/** What the module at an absolute path exports by default, or what its default export returns. */
export async function loadModule(file: string): Promise<Result<unknown, string>> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return fail('does not exist');
  const readsTypeScript = 'typescript' in process.features && process.features.typescript !== false;
  const needsJiti = /\.m?ts$/.test(file) && !readsTypeScript && !process.execArgv.some((text) => text.includes('tsx'));
  const answer = await runIn(pathToFileURL(file).href, needsJiti);
  if (answer.code === 'NO_JITI')
    return fail(
      `is TypeScript, which Node ${process.versions.node} does not read (from 22.18 on it does): 'npm install jiti' beside it, or write it as .mjs, .yaml, .toml or .json`,
    );
  // Node shows the place of a syntax error in a terminal only.
  const shows = answer.isSyntax === true && !/\.m?ts$/.test(file) ? `; 'node --check ${file}' shows where` : '';
  if (answer.error !== undefined) return fail(`can't be loaded: ${answer.error}${shows}`);
  const [unfit] = answer.unfit ?? [];
  if (unfit !== undefined)
    return fail(
      `has a ${unfit[1]} as '${unfit[0]}', allowed is data: code is named by a path, as in handler: './app.js'`,
    );
  if (answer.text === undefined) return fail('has no default export, expected: export default defineConfig({ … })');
  return ok(JSON.parse(answer.text));
}

function runIn(url: string, needsJiti: boolean): Promise<Answer> {
  return new Promise((resolve) => {
    const thread = new Worker(SCRIPT, { eval: true, workerData: { url, needsJiti }, stdout: true });
    // Standard output is for the lines that scripts read.
    thread.stdout.pipe(process.stderr, { end: false });
    const timer = setTimeout(() => {
      resolve({ error: `after ${LOAD_TIMEOUT_MS / 1000} seconds it still waits for something` });
      void thread.terminate();
    }, LOAD_TIMEOUT_MS);
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    thread.once('message', settle);
    thread.once('error', (error) => settle({ error: error.message }));
    thread.once('exit', () =>
      settle({
        error: 'it ended the thread that it was loaded in: an await in it never settles, or it calls process.exit()',
      }),
    );
  });
}
