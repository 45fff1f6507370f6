// Bundles the package in the current folder into `dist`: one file for each of its entries, and chunks of what they share. A
// program of 300 small modules takes as long to load as to do its work; bench/startup.ts measures it. The types beside them
// are tsc's, one file for each source.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const doors = Object.values(exports).flatMap((door) => (typeof door === 'string' ? [] : [door['@wellknown/source']]));
// A program is started by its path.
const program = './src/main.ts';

// What a former build left there under another name.
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: [...doors, ...(existsSync(program) ? [program] : [])],
  outdir: 'dist',
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
