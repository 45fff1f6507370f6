// Before the tests of a run, and before each further run in watch mode: bundles the programs that they start. esbuild
// does it, since it is what tsx compiles the same sources with: the bundle behaves as the program does from its source.

import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle, stop, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { expectNoLeftovers } from './leftover-programs.ts';
import { bundleOf, ROOT } from './programs.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await bundlePrograms();
  project.onTestsRerun(bundlePrograms);
  return expectNoLeftovers;
}

async function bundlePrograms(): Promise<void> {
  const { outputFiles } = await bundle({
    absWorkingDir: ROOT,
    entryPoints: programs().map((program) => ({ in: program, out: bundleOf(program).slice(0, -'.mjs'.length) })),
    outdir: ROOT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    conditions: ['@wellknown/source'],
    // As tsx has it: names are shown in logs and in stacks.
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    plugins: [workspaceOnly, sourceUrls],
  });
  await stop();
  await Promise.all(outputFiles.map(({ path: file, text }) => put(file, text)));
}

/** The packages' programs, the tests' own ones, and the examples: by their files below ROOT. */
function programs(): string[] {
  const packages = readdirSync(path.join(ROOT, 'packages')).map((name) => `packages/${name}`);
  return [
    ...packages.flatMap((folder) => filesIn(`${folder}/src`, /^main\.ts$/)),
    ...packages.flatMap((folder) => filesIn(`${folder}/test/fixtures`, /-program\.ts$/)),
    ...filesIn('examples', /\.ts$/),
  ];
}

const filesIn = (folder: string, name: RegExp): string[] =>
  existsSync(path.join(ROOT, folder))
    ? readdirSync(path.join(ROOT, folder))
        .filter((file) => name.test(file))
        .map((file) => `${folder}/${file}`)
    : [];

/** What is not of this repository stays an import: by its path, since the bundle is not where its importer is. */
const workspaceOnly: Plugin = {
  name: 'workspace-only',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path: name, kind, importer, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || name.startsWith('@wellknown/') || isBuiltin(name) || pluginData === workspaceOnly)
        return undefined;
      const found = await build.resolve(name, { kind, importer, resolveDir, pluginData: workspaceOnly });
      return { path: found.path, errors: found.errors, external: true };
    });
  },
};

/** A module that looks for files beside itself finds them beside its source. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)), loader: 'ts' };
    });
  },
};

/** Whole or not at all, and only where it differs: programs of another run may be starting from it. */
async function put(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
}
