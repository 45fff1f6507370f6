// The files of deploy/, checked by what reads them: systemd's own verifier, the types of Kubernetes' API, our command line.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lacks } from '@wellknown/core/testing';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runHere } from '../../../test/command-line.ts';
import { ROOT } from '../../../test/programs.ts';
import { run } from '../src/run.ts';

const DEPLOY = path.join(ROOT, 'deploy');
const read = (file: string): string => readFileSync(path.join(DEPLOY, file), 'utf8');
const UNITS = readdirSync(path.join(DEPLOY, 'systemd'));

/** Every option is one that the command has: behind them, --help is reached. */
async function expectTaken(argv: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await runHere(() => run([...argv, '--help']));
  expect([status, stderr], argv.join(' ')).toEqual([0, '']);
  expect(stdout).toMatch(/^usage: wellknown \w+ \[options\]/);
}

describe('systemd', () => {
  test.skipIf(lacks('systemd-analyze'))('finds no mistake in the units', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-units-'));
    // The Node of this machine may be elsewhere.
    for (const unit of UNITS)
      writeFileSync(path.join(folder, unit), read(`systemd/${unit}`).replaceAll('/usr/bin/node', process.execPath));
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', '--recursive-errors=no', ...UNITS.map((unit) => path.join(folder, unit))],
      { encoding: 'utf8' },
    );
    expect(stderr.split('\n').filter((line) => line.includes('wellknown'))).toEqual([]);
    expect(status).toBe(0);
  });

  test.each(UNITS.filter((unit) => unit.endsWith('.service')))(
    'starts a command line that exists: %s',
    async (unit) => {
      const line = /^ExecStart=(.*)$/m.exec(read(`systemd/${unit}`))?.[1] ?? '';
      const [, argv = ''] = line.split('wellknown.js ');
      await expectTaken(argv.split(' '));
    },
  );

  test('has each unit told by logrotate to open its logs again', () => {
    const [begin = '-', end = '-'] = (/'(.*)'$/m.exec(read('logrotate/wellknown'))?.[1] ?? '').split('*');
    for (const unit of UNITS.filter((name) => name.endsWith('.service')))
      expect([unit.startsWith(begin), unit.endsWith(end)], unit).toEqual([true, true]);
  });

  test('passes the socket under the name that the service asks for, and stops later than the drain', () => {
    expect(read('systemd/wellknown-http.service')).toContain(
      `--listen systemd:${/^FileDescriptorName=(.*)$/m.exec(read('systemd/wellknown-http.socket'))?.[1] ?? ''} `,
    );
    for (const unit of UNITS.filter((name) => name.endsWith('.service')))
      expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(read(`systemd/${unit}`))?.[1]), unit).toBeGreaterThan(30);
  });
});

test('the configuration is one that nobody finds a mistake in, once its folders are there', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-etc-'));
  for (const name of ['/srv/www', '/srv/ftp', '/var/log/wellknown']) mkdirSync(folder + name, { recursive: true });
  const file = path.join(folder, 'wellknown.config.yaml');
  writeFileSync(file, read('wellknown.config.yaml').replaceAll(/: (\/(?:srv|var)\/)/g, `: ${folder}$1`));
  const { status, stderr } = await runHere(() => run(['check', '--config', file]));
  expect([status, stderr]).toEqual([0, '']);
});

describe('the image', () => {
  const instructions = read('Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ name: line.split(' ', 1)[0] ?? '', value: line.slice(line.indexOf(' ') + 1) }));
  const valueOf = (name: string): string => instructions.find((one) => one.name === name)?.value ?? '';

  test('is made by instructions that there are, and starts a command line that exists', async () => {
    const known = ['FROM', 'RUN', 'COPY', 'USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];
    expect(instructions.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    const argv = JSON.parse(valueOf('CMD')) as string[];
    expect(JSON.parse(valueOf('ENTRYPOINT'))).toEqual(['wellknown']);
    expect(argv).toContain(`tcp://:${valueOf('EXPOSE')}`);
    await expectTaken(argv);
  });

  test('asks for its health in JavaScript that there is', () => {
    const [node, flag, code = ''] = JSON.parse(/CMD (\[.*\])$/.exec(valueOf('HEALTHCHECK'))?.[1] ?? '[]') as string[];
    expect([node, flag]).toEqual(['node', '-e']);
    // Nobody listens on that port: it says so by its status, and not by an exception.
    const { status, stderr } = spawnSync(process.execPath, ['-e', code.replace(':8080', ':1')], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, '']);
  });
});

describe('the manifests', () => {
  const manifests = parseAllDocuments(read('kubernetes/http.yaml')).map(
    (document) => document.toJS() as { kind: string; apiVersion: string } & Record<string, unknown>,
  );

  test('are what the API takes, to the last field', () => {
    const folder = path.join(ROOT, 'packages/cli/node_modules/.cache');
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'manifests.ts');
    // An object that is written out is checked for fields that its type has not.
    const sources = manifests.map(({ kind, apiVersion, ...rest }, index) => {
      const from = apiVersion === 'v1' ? 'core/v1' : apiVersion;
      return `import type { ${kind} as Kind${index} } from 'kubernetes-types/${from}';
export const manifest${index}: Kind${index} = ${JSON.stringify({ kind, apiVersion, ...rest }, null, 2)};`;
    });
    const problemsOf = (text: string): string[] => {
      writeFileSync(file, text);
      const program = ts.createProgram([file], {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: [],
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
      });
      return ts
        .getPreEmitDiagnostics(program)
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
    };
    expect(manifests.map(({ kind }) => kind)).toEqual(['Deployment', 'Service', 'PodDisruptionBudget']);
    expect(problemsOf(sources.join('\n'))).toEqual([]);
    expect(problemsOf(sources.join('\n').replace('"readinessProbe"', '"readynessProbe"'))).toHaveLength(1);
  });

  test('start a command line that exists, drain within their grace period, and select what they make', async () => {
    const [deployment, service, budget] = manifests as unknown as readonly {
      spec: {
        selector: { matchLabels?: object };
        template: {
          metadata: { labels: object };
          spec: {
            terminationGracePeriodSeconds: number;
            containers: readonly { args: string[]; lifecycle: { preStop: { exec: { command: string[] } } } }[];
          };
        };
      };
    }[];
    const pod = deployment?.spec.template;
    const [container] = pod?.spec.containers ?? [];
    const args = container?.args ?? [];
    await expectTaken(args);
    const drain = Number(args[args.indexOf('--drain-timeout') + 1]);
    const preStop = Number(container?.lifecycle.preStop.exec.command[1]);
    expect(pod?.spec.terminationGracePeriodSeconds).toBeGreaterThan(drain + preStop);
    for (const selector of [
      deployment?.spec.selector.matchLabels,
      service?.spec.selector,
      budget?.spec.selector.matchLabels,
    ])
      expect(selector).toEqual(pod?.metadata.labels);
  });
});
