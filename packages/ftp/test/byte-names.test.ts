// Names that are no UTF-8, by a real client from end to end: what comes home, goes back, and is renamed or deleted is what
// it was, byte for byte.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { lacks } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { createFtpServer, diskFileSystem } from '../src/index.ts';
import { portOf } from './tls-session.ts';

const run = promisify(execFile);
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');
// Latin-1, bytes that begin nothing, both in one name, half a surrogate pair as CESU-8 has it, and UTF-8 beside them.
const NAMES = ['gr\xfcn.txt', '\xff\xfe', 'mixed \xc3\xbc \xfc', '\xed\xa0\x80x', 'ok \xc3\xbc', 's\xfcb dir/caf\xe9'];
const below = (folder: string, name: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), bytes(name)]);

/** The files below a folder and what is in them, by names as they are on the disk. */
async function contents(folder: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
    const at = Buffer.concat([folder, Buffer.from('/'), entry.name]);
    const name = entry.name.toString('latin1');
    if (entry.isFile()) found[name] = await readFile(at, 'latin1');
    else for (const [file, text] of Object.entries(await contents(at))) found[`${name}/${file}`] = text;
  }
  return found;
}

async function serve(): Promise<{ readonly base: string; readonly port: number }> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'ftp-bytes-'));
  for (const folder of ['root/tree', 'local']) await mkdir(path.join(base, folder), { recursive: true });
  await mkdir(below(path.join(base, 'root/tree'), 's\xfcb dir'));
  for (const name of NAMES) await writeFile(below(path.join(base, 'root/tree'), name), bytes(`this is ${name}`));
  const server = createFtpServer({
    fileSystem: diskFileSystem(path.join(base, 'root')),
    accounts: [{ name: 'ann', password: 'secret', mayWrite: true }],
    tls: makeCertificate('ftp.example'),
    listen: 'tcp://127.0.0.1:0',
  });
  const [bound] = await server.listen();
  onTestFinished(async () => {
    await server.close({ graceMs: 0 });
    await rm(base, { recursive: true });
  });
  return { base, port: portOf(bound?.url ?? '') };
}

/** Runs lftp's commands to their end; the result is what it printed, as Latin-1. They come from a file, as bytes. */
async function lftp({ base, port }: { base: string; port: number }, ...lines: readonly string[]): Promise<string> {
  const script = path.join(base, 'script');
  const settings = 'set net:max-retries 1; set net:timeout 10; set cmd:fail-exit yes; set ssl:verify-certificate no';
  const opening = `open ftp://ann:secret@127.0.0.1:${port}/tree`;
  await writeFile(script, bytes([settings, opening, ...lines].join('\n')));
  const { stdout } = await run('lftp', ['--norc', '-f', script], {
    cwd: path.join(base, 'local'),
    env: { ...process.env, HOME: base, LC_ALL: 'C.UTF-8' },
    encoding: 'latin1',
    timeout: 60_000,
  });
  return stdout;
}

describe.skipIf(lacks('lftp'))('names that are no UTF-8', () => {
  test.each([
    ['in clear', 'set ftp:ssl-allow no'],
    ['over TLS', 'set ftp:ssl-force yes; set ftp:ssl-protect-data yes'],
  ])('are mirrored both ways, %s', async (_, how) => {
    const client = await serve();
    const { base } = client;
    await lftp(client, how, 'mirror . home', 'mirror -R home /back');
    const expected = await contents(bytes(path.join(base, 'root/tree')));
    expect(Object.keys(expected).sort()).toEqual([...NAMES].sort());
    expect(await contents(bytes(path.join(base, 'local/home')))).toEqual(expected);
    expect(await contents(bytes(path.join(base, 'root/back')))).toEqual(expected);
  });

  test.each([
    ['in clear', 'set ftp:ssl-allow no'],
    ['over TLS', 'set ftp:ssl-force yes; set ftp:ssl-protect-data yes'],
  ])('are those of directories that are entered and told of, %s', async (_, how) => {
    const client = await serve();
    const said = await lftp(client, how, "mkdir 'a\xff'", "cd 'a\xff'", 'pwd', 'quote PWD');
    expect(said).toContain('257 "/tree/a\xff" ');
  });

  test('are listed, fetched, stored, renamed, deleted and matched by patterns', async () => {
    const client = await serve();
    const { base } = client;
    const listed = await lftp(client, 'cls -1', 'nlist');
    for (const name of NAMES.slice(0, -1)) expect(listed.split(name).length - 1).toBe(2);
    await lftp(
      client,
      "get 'gr\xfcn.txt' -o got",
      "mv 'gr\xfcn.txt' 's\xfcb dir/gr\xfc\xfcn'",
      "rm '\xff\xfe'",
      "put got -o 'up\xe9'",
      "chmod 600 'up\xe9'",
      "pget -n 2 'up\xe9' -o pieces",
      "mrm '\xed*'",
      "mkdir 'd\xef'",
      "rmdir 'd\xef'",
    );
    const grown = 'this is gr\xfcn.txt';
    const tree = await contents(bytes(path.join(base, 'root/tree')));
    expect(tree).toEqual({
      'mixed \xc3\xbc \xfc': 'this is mixed \xc3\xbc \xfc',
      'ok \xc3\xbc': 'this is ok \xc3\xbc',
      's\xfcb dir/caf\xe9': 'this is s\xfcb dir/caf\xe9',
      's\xfcb dir/gr\xfc\xfcn': grown,
      'up\xe9': grown,
    });
    expect(await contents(bytes(path.join(base, 'local')))).toEqual({ got: grown, pieces: grown });
  });
});
