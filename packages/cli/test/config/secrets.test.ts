// Secrets beside the configuration: in the environment, in files, and through pipes.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { programArguments } from '../../../../test/programs.ts';
import { readSecret } from '../../src/config/secrets.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-secrets-'));
const fileWith = (name: string, text: string): { readonly file: string } => {
  writeFileSync(path.join(folder, name), text);
  return { file: name };
};
const refused = (error: string) => ({ ok: false, error });

const pipe = (name: string): { readonly file: string } => {
  spawnSync('mkfifo', [path.join(folder, name)]);
  return { file: name };
};

test('a secret is what the file holds, without its last line end', () => {
  expect(readSecret(fileWith('plain', 'a b\r\n'), folder, {})).toEqual({ ok: true, value: 'a b' });
  expect(readSecret(fileWith('two', 'a\n\n'), folder, {})).toEqual({ ok: true, value: 'a\n' });
  expect(readSecret({ env: 'TOKEN' }, folder, { TOKEN: 'x' })).toEqual({ ok: true, value: 'x' });
});

test('one that is missing, empty or no file is refused by name', () => {
  expect(readSecret({ file: 'none' }, folder, {})).toEqual(refused("the file 'none' does not exist"));
  expect(readSecret(fileWith('empty', '\n'), folder, {})).toEqual(refused("the file 'empty' is empty"));
  expect(readSecret({ file: '.' }, folder, {})).toEqual(refused("the file '.' can't be read (EISDIR): it is a folder"));
  expect(readSecret({ env: 'NO' }, folder, {})).toMatchObject({ ok: false });
  expect(readSecret({ env: 'NO' }, folder, { NO: '' })).toMatchObject({ ok: false });
});

test('a secret has 65,536 bytes at most, and a file without end is not read for ever', () => {
  const most = 'x'.repeat(65_536);
  expect(readSecret(fileWith('most', most), folder, {})).toEqual({ ok: true, value: most });
  expect(readSecret(fileWith('more', `${most}x`), folder, {})).toEqual(
    refused("the file 'more' has more than 65536 bytes"),
  );
  expect(readSecret({ file: '/dev/zero' }, folder, {})).toEqual(
    refused("the file '/dev/zero' has more than 65536 bytes"),
  );
});

test('a pipe is waited for, also between the pieces that are written to it', async () => {
  const ref = pipe('slow');
  const writer = spawn('sh', ['-c', 'exec > slow; printf first; sleep 0.2; echo second'], { cwd: folder });
  expect(readSecret(ref, folder, {}, 60_000)).toEqual({ ok: true, value: 'firstsecond' });
  await once(writer, 'close');
});

test('a pipe whose writer says nothing, or that has none, is given up', () => {
  const ref = pipe('silent');
  expect(readSecret(ref, folder, {}, 50)).toEqual(refused("the file 'silent' is empty"));
  const writer = openSync(path.join(folder, 'silent'), 'r+');
  onTestFinished(() => closeSync(writer));
  expect(readSecret(ref, folder, {}, 50)).toEqual(refused("nothing came from the file 'silent' for 0.05 s"));
});

test('a secret of the program comes through a descriptor that its caller has opened', async () => {
  mkdirSync(path.join(folder, 'pub'));
  const account = '{ name: ann, password: { file: /dev/fd/3 } }';
  writeFileSync(
    path.join(folder, 'wellknown.config.yaml'),
    `services:\n  ftp: { root: pub, listen: 'tcp://127.0.0.1:0', account: [${account}] }\n`,
  );
  const checked = async (secret: string): Promise<unknown> => {
    const script = `printf '%s' '${secret}' | exec "$0" "$@" 3<&0 </dev/null`;
    const program = [process.execPath, ...programArguments('packages/cli/src/main.ts'), 'check'];
    const child = spawn('bash', ['-c', script, ...program], { cwd: folder, stdio: 'ignore' });
    const ended: unknown[] = await once(child, 'close');
    return ended[0];
  };
  expect(await Promise.all([checked('secret'), checked('')])).toEqual([0, 2]);
});
