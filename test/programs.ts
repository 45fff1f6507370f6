// The programs that tests start as processes of their own. Loading the sources through tsx costs each process, so each
// worker too, a second of CPU; one bundled file costs a sixth of that. So every run of the tests bundles them first
// (bundle-programs.ts), and tests start the bundles.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where the bundle of a program is, which is given by its file below ROOT. */
export function bundleOf(program: string): string {
  // .mjs, since no package.json there says that it is a module.
  return path.join(ROOT, 'node_modules/.cache/test-programs', program.replace(/\.ts$/, '.mjs'));
}

/**
 * The arguments of node that start a program, for `startProgram` and `runProgram`. The program is given by its file
 * below ROOT: one of those that bundle-programs.ts finds.
 */
export function programArguments(program: string): readonly string[] {
  const bundle = bundleOf(program);
  if (!existsSync(bundle))
    throw new Error(`there is no bundle of '${program}': test/bundle-programs.ts finds none of this name`);
  return ['--enable-source-maps', bundle];
}

/** The same from the sources as they are, as `pnpm start` does: slow, and needs `cwd: ROOT`, where tsx is found. */
export function sourceArguments(program: string): readonly string[] {
  return ['--conditions=@wellknown/source', '--import', 'tsx', path.join(ROOT, program)];
}
