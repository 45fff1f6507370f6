// Compiles a project of a user against the built packages: their types alone, without skipLibCheck, with the oldest
// TypeScript that is promised (5.5), the DOM library beside Node's types, and the types of each Node. Build first.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
// ftp-s3 speaks of the types of the AWS SDK, which promise less than ours.
const PACKAGES = readdirSync(path.join(ROOT, 'packages')).filter((name) => name !== 'ftp-s3');
const COMPILERS = ['typescript-5.5', 'typescript-7'];
const NODE_TYPES = ['@types/node', 'types-node-24', 'types-node-26'];

const manifestOf = (name) => JSON.parse(readFileSync(path.join(ROOT, 'packages', name, 'package.json'), 'utf8'));

/** Every way in, and the examples of the READMEs. */
function sources() {
  const doors = PACKAGES.flatMap((name) =>
    Object.keys(manifestOf(name).exports)
      .filter((door) => door !== './package.json')
      .map((door) => `@wellknown/${name}${door.slice(1)}`),
  );
  const examples = ['README.md', ...PACKAGES.map((name) => `packages/${name}/README.md`)].flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code),
  );
  return {
    'doors.ts': doors.map((door, index) => `export * as door${index} from '${door}';\n`).join(''),
    ...Object.fromEntries(examples.map((code, index) => [`example-${index}.ts`, code])),
  };
}

function project(nodeTypes) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-types-'));
  const modules = path.join(folder, 'node_modules');
  for (const name of PACKAGES) {
    const from = path.join(ROOT, 'packages', name);
    const to = path.join(modules, '@wellknown', name);
    cpSync(path.join(from, 'dist'), path.join(to, 'dist'), { recursive: true });
    cpSync(path.join(from, 'package.json'), path.join(to, 'package.json'));
  }
  const types = realpathSync(path.join(ROOT, 'node_modules', nodeTypes));
  mkdirSync(path.join(modules, '@types'));
  cpSync(types, path.join(modules, '@types/node'), { recursive: true });
  cpSync(realpathSync(path.join(types, '../../undici-types')), path.join(modules, 'undici-types'), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        lib: ['ES2022', 'DOM', 'DOM.Iterable'],
        module: 'NodeNext',
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      },
      include: ['*.ts'],
    }),
  );
  for (const [file, text] of Object.entries(sources())) writeFileSync(path.join(folder, file), text);
  return folder;
}

for (const nodeTypes of NODE_TYPES) {
  const folder = project(nodeTypes);
  for (const compiler of COMPILERS) {
    const { version, bin } = JSON.parse(
      readFileSync(path.join(ROOT, 'node_modules', compiler, 'package.json'), 'utf8'),
    );
    const tsc = path.join(ROOT, 'node_modules', compiler, bin.tsc);
    const { version: typesVersion, typeScriptVersion } = JSON.parse(
      readFileSync(path.join(folder, 'node_modules/@types/node/package.json'), 'utf8'),
    );
    // Types that do not compile with it themselves say so.
    if (typeScriptVersion.localeCompare(version, 'en', { numeric: true }) > 0) continue;
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    console.log(
      `TypeScript ${version}, @types/node ${typesVersion}: ${status === 0 ? 'compiles' : `fails\n${stdout}`}`,
    );
    if (status !== 0) process.exitCode = 1;
  }
  rmSync(folder, { recursive: true });
}
