// `wellknown check`: what it prints, and its exit status.

import { chmodSync, mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere, type Ended } from '../../../../test/command-line.ts';
import { lacksOtherUser } from '../../../../test/other-user.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';
import { run } from '../../src/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellknown-check-'));
  mkdirSync(path.join(folder, 'pub'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function check(name: string, text: string, ...args: string[]): Promise<Ended> {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return runHere(() => run(['check', '--config', file, ...args]));
}

const RIGHT = `
workers: 2
idleTimeout: 90s
services:
  web: { protocol: http, root: pub, listen: 8080, noListing: true }
  files:
    protocol: ftp
    root: pub
    account: [{ name: ann, password: secret99 }]
    write: true
  small: { protocol: echo, also: [daytime] }
`;

test('a right one is told with endpoints and with what differs from the defaults, and no secret', async () => {
  const { status, stdout, stderr } = await check('right.yaml', RIGHT);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('is right: 4 services');
  expect(stdout).toMatch(/^web \(http\) on tcp:\/\/127\.0\.0\.1:8080$/m);
  expect(stdout).toMatch(/^files \(ftp\) on tcp:\/\/127\.0\.0\.1:21$/m);
  expect(stdout).toMatch(/^small-daytime \(daytime\) on udp:\/\/127\.0\.0\.1:13$/m);
  expect(stdout).toMatch(/^ {2}account +ann:\(hidden\)$/m);
  expect(stdout).toMatch(/^ {2}workers +2$/m);
  expect(stdout).not.toContain('secret99');
});

const noOtherUser = lacksOtherUser(programArguments('packages/cli/src/main.ts').at(-1) ?? '');
if (noOtherUser !== undefined) console.log(`skipped: ${noOtherUser}`);

test.skipIf(noOtherUser)('what root may read and the user of runAs may not is a mistake, with its place', async () => {
  const file = (name: string, mode: number): void => {
    writeFileSync(path.join(folder, name), 'export default () => undefined;\n');
    chmodSync(path.join(folder, name), mode);
  };
  chmodSync(folder, 0o755);
  file('open.mjs', 0o644);
  file('closed.mjs', 0o600);
  const config = (handler: string): string =>
    `runAs: nobody\nservices: { web: { protocol: http, handler: ${handler} } }\n`;
  expect((await check('open.yaml', config('open.mjs'))).stderr).toBe('');
  const { status, stderr } = await check('closed.yaml', config('closed.mjs'));
  expect(status).toBe(2);
  expect(stderr).toContain(
    `closed.yaml:2:36: services.web.handler: handler '${folder}/closed.mjs' can't be read (EACCES) by those who serve: they are the user 'nobody' (runAs)\n`,
  );
});

test('--json is the same for programs', async () => {
  const { status, stdout } = await check('json.yaml', RIGHT, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    services: [
      {
        name: 'web',
        protocol: 'http',
        listen: ['tcp://127.0.0.1:8080'],
        options: { noListing: true, idleTimeout: '90s' },
      },
      { name: 'files', options: { account: ['ann:(hidden)'], write: true } },
      { name: 'small' },
      { name: 'small-daytime', protocol: 'daytime' },
    ],
    program: { workers: '2' },
  });
});

const WRONG: Readonly<Record<string, string>> = {
  'wrong.yaml': `workers: lots
services:
  web:
    protocol: http
    rot: pub
    maxRate: -1
  files:
    protocol: ftp
    root: nowhere
    listen: [tcp://127.0.0.1:8021, tcp://127.0.0.1:99999]
`,
  'wrong.toml': `workers = "lots"
[services.web]

protocol = "http"
rot = "pub"
maxRate = -1
[services.files]
protocol = "ftp"
root = "nowhere"
listen = ["tcp://127.0.0.1:8021", "tcp://127.0.0.1:99999"]
`,
  'wrong.json': `{ "workers": "lots",
"services": {
"web": {
    "protocol": "http",
    "rot": "pub",
    "maxRate": -1
}, "files": {
    "protocol": "ftp",
    "root": "nowhere",
    "listen": ["tcp://127.0.0.1:8021", "tcp://127.0.0.1:99999"]
}}}
`,
};

describe.each(Object.entries(WRONG))('%s', (name, text) => {
  test('has every mistake with its line, and status 2', async () => {
    const { status, stdout, stderr } = await check(name, text);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const told = [...stderr.matchAll(/^.*\/wrong\.\w+:(\d+):\d+: (\S+): (.*)$/gm)].map(([, ...rest]) => rest);
    expect(told).toEqual([
      ['1', 'workers', expect.stringContaining("workers is 'lots', allowed is a whole number")],
      ['5', 'services.web.rot', "the key 'rot' is unknown; meant may be 'root'"],
      ['6', 'services.web.maxRate', "maxRate is '-1', allowed is a number from 0.001"],
      ['9', 'services.files.root', expect.stringContaining('is not a directory: it does not exist')],
      ['10', 'services.files.listen[1]', expect.stringContaining('port 99999 is above 65535')],
    ]);
    expect(stderr).toContain('the configuration has 5 mistakes\n');
  });
});

test('mistakes as JSON have file, line, column and key', async () => {
  const { status, stdout } = await check('one.yaml', 'services:\n  a: { protocol: telnet, lineMode: 1 }\n', '--json');
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    mistakes: [{ line: 2, column: 26, key: 'services.a.lineMode' }],
  });
});

test('two services on one endpoint are a mistake', async () => {
  const { stderr } = await check(
    'twice.yaml',
    'services:\n  a: { protocol: http, listen: 1 }\n  b: { protocol: telnet, listen: 1 }\n',
  );
  expect(stderr).toContain(
    "twice.yaml:3:26: services.b.listen: 'tcp://127.0.0.1:1' is listened on by the service 'a' already",
  );
});

test('what a service takes from beside the services is blamed there', async () => {
  const { stderr } = await check('global.yaml', 'maxRate: -1\nservices: { a: { protocol: telnet } }\n');
  expect(stderr).toContain("global.yaml:1:1: maxRate: maxRate is '-1'");
});

test('what a sentence is about is blamed, and not what it mentions behind that', async () => {
  const { stderr } = await check(
    'home.yaml',
    'services:\n  a:\n    protocol: ftp\n    root: .\n    virtualHost: [a.example, b.example:none]\n',
  );
  expect(stderr).toContain("home.yaml:5:30: services.a.virtualHost[1]: virtualHost 'b.example:none': HOME is 'none', ");
});

test('a secret that is wrong is not shown', async () => {
  process.env.WELLKNOWN_TEST_SECRET = 'open-sesame';
  const { stderr } = await check(
    'secret.yaml',
    'services:\n  a: { protocol: telnet, maxRate: { env: WELLKNOWN_TEST_SECRET } }\n',
  );
  delete process.env.WELLKNOWN_TEST_SECRET;
  expect(stderr).toContain('maxRate is (hidden), allowed is a number');
});

describe('a module', () => {
  test('is run, and what it exports or returns is the configuration', async () => {
    const { status, stdout } = await check(
      'right.mjs',
      "export default async () => ({ services: { echo: { listen: 'udp://127.0.0.1:0' } } });",
    );
    expect(status).toBe(0);
    expect(stdout).toContain('echo (echo) on udp://127.0.0.1:0');
  });

  test.each([
    ['throws.mjs', "throw new Error('no way');", "can't be loaded: no way"],
    ['nothing.mjs', 'export const a = 1;', 'has no default export'],
    ['function.mjs', 'export default { services: { a: { handler() {} } } };', "has a function as 'handler'"],
    ['ends.mjs', 'process.exit(0);', 'it ended the thread'],
    ['syntax.mjs', 'export default {', "can't be loaded"],
  ])('%s is told', async (name, text, words) => {
    const { status, stderr } = await check(name, text);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });

  const TYPED = 'const workers: number = 2;\nexport default { workers, services: { echo: {} } };';
  const readsTypeScript = 'typescript' in process.features && process.features.typescript !== false;

  test('in TypeScript is read by Node, or by jiti where it is installed', async () => {
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    symlinkSync(path.join(ROOT, 'packages/cli/node_modules/jiti'), path.join(folder, 'node_modules/jiti'));
    const { status, stdout } = await check('typed.ts', TYPED);
    rmSync(path.join(folder, 'node_modules'), { recursive: true });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}workers +2$/m);
  });

  test.skipIf(readsTypeScript)('in TypeScript that nobody can read says what to do', async () => {
    writeFileSync(path.join(folder, 'unread.ts'), TYPED);
    // Where package managers say which packages there are.
    const options = { cwd: folder, env: { NODE_PATH: '' } };
    const program = programArguments('packages/cli/src/main.ts');
    const { status, stderr } = await runProgram([...program, 'check', '--config', 'unread.ts'], options);
    expect(status).toBe(2);
    expect(stderr).toContain("does not read (from 22.18 on it does): 'npm install jiti' beside it");
  });

  test('has the keys of its mistakes', async () => {
    const { stderr } = await check(
      'keys.mjs',
      "export default { services: { a: { protocol: 'telnet', lineMode: 1 } } };",
    );
    expect(stderr).toContain('keys.mjs: services.a.lineMode: lineMode is 1');
  });
});

test('a file of another kind, and one that is not there, are told', async () => {
  expect((await check('x.ini', '')).stderr).toContain('has none of the endings .ts, .mts, .js');
  const { status, stderr } = await runHere(() => run(['check', '--config', path.join(folder, 'no.yaml')]));
  expect(status).toBe(2);
  expect(stderr).toContain('does not exist');
});
