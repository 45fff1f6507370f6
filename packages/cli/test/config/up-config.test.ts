// `wellknown up --config FILE`, as a real process.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { askControl } from '@wellknown/core/control';
import { connectClient, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lacksOtherUser } from '../../../../test/other-user.ts';
import { programArguments } from '../../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-up-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'site'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

async function up(folder: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram([...WELLKNOWN, 'up', '--drain-timeout', '1', ...args], { cwd: folder, env });
  onTestFinished(async () => {
    await program.stop();
  });
  return program;
}

const portOf = (program: Program, service: string): number =>
  Number(new URL(program.endpoints[service]?.[0] ?? '').port);

const CONFIG = `
workers: 1
services:
  web: { protocol: http, root: site, listen: 'tcp://127.0.0.1:0' }
  intranet: { protocol: http, root: site, listen: 'tcp://127.0.0.1:0', users: users }
  shell: { protocol: telnet, listen: 'tcp://127.0.0.1:0' }
  upper: { protocol: exec, listen: 'tcp://127.0.0.1:0', program: tr, args: [a-z, A-Z] }
  limited: { protocol: exec, listen: 'tcp://127.0.0.1:0', program: cat, allow: 192.0.2.1 }
`;

describe.each([0, 1])('with %i workers', (workers) => {
  test('several services of one protocol, and programs, each with its own options', async () => {
    const folder = folderWith({
      'wellknown.config.yaml': CONFIG.replace('workers: 1', `workers: ${workers}`),
      'site/index.html': 'hello\n',
      users: 'ann:$2y$05$abcdefghijklmnopqrstuu3vXQ1y9vR5k8Y6q0r5rj0Yx5w2bq9Gm\n',
    });
    const program = await up(folder);
    expect(Object.keys(program.endpoints)).toEqual(['web', 'intranet', 'shell', 'upper', 'limited']);
    const web = await fetch(`http://127.0.0.1:${portOf(program, 'web')}/`);
    expect(await web.text()).toBe('hello\n');
    expect((await fetch(`http://127.0.0.1:${portOf(program, 'intranet')}/`)).status).toBe(401);
    const upper = await connectClient(program.endpoints.upper?.[0] ?? '');
    upper.send('hello\n');
    upper.end();
    expect(await upper.receiveAll()).toBe('HELLO\n');
    const limited = await connectClient(program.endpoints.limited?.[0] ?? '');
    expect(await limited.receiveAll()).toBe('');
    expect(await program.stop()).toBe(0);
  });
});

test('the command line goes before the file', async () => {
  const folder = folderWith({
    'some.toml': 'workers = 3\nmaxConnections = 7\n[services.echo]\nlisten = "tcp://127.0.0.1:0"\nmaxConnections = 8\n',
  });
  const args = ['--config', 'some.toml', '--workers', '1', '--control', 'control.sock'];
  const program = await up(folder, args);
  const status = await askControl(path.join(folder, 'control.sock'), { command: 'status' });
  expect(status).toMatchObject({ ok: true, value: { workers: [{ slot: 1 }] } });
  expect(program.endpoints.echo).toHaveLength(1);
});

test('a worker that starts later serves what was read at the start', async () => {
  const folder = folderWith({ 'wellknown.config.yaml': CONFIG, 'site/index.html': 'hello\n', users: '' });
  await up(folder, ['--control', 'control.sock']);
  writeFileSync(path.join(folder, 'wellknown.config.yaml'), 'not: [a configuration');
  const control = path.join(folder, 'control.sock');
  expect(await askControl(control, { command: 'scale', workers: 2 })).toMatchObject({ ok: true });
  expect(await askControl(control, { command: 'status' })).toMatchObject({
    value: { workers: [{ at: 'ready' }, { at: 'ready' }] },
  });
});

const noOtherUser = lacksOtherUser(WELLKNOWN.at(-1) ?? '');
if (noOtherUser !== undefined) console.log(`skipped: ${noOtherUser}`);

test.skipIf(noOtherUser)(
  'a file that the user of runAs may not read ends it, and the message says who that is',
  async () => {
    const folder = folderWith({
      'wellknown.config.yaml': `runAs: nobody\nworkers: 1\nservices: { site: { protocol: http, root: site, users: users, listen: 'tcp://127.0.0.1:0' } }\n`,
      users: 'ann:$2y$05$abcdefghijklmnopqrstuu3vXQ1y9vR5k8Y6q0r5rj0Yx5w2bq9Gm\n',
    });
    chmodSync(folder, 0o755);
    chmodSync(path.join(folder, 'users'), 0o600);
    const ended = await runProgram([...WELLKNOWN, 'up'], { cwd: folder });
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(
      "users' can't be read (EACCES): this user may not; those who serve are the user 'nobody' (--run-as, runAs), who has to be allowed to\n",
    );
  },
);
