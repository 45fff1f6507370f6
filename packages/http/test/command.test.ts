import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '@wellknown/core';
import { serveInMemory } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpCommand } from '../src/command.ts';
import { readResponses, settled } from './serve.ts';

let directory = '';
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-command-'));
  fs.writeFileSync(path.join(directory, 'function.mjs'), 'export default (request) => new Response(new URL(request.url).pathname);');
  fs.writeFileSync(path.join(directory, 'object.mjs'), 'export default { word: "object", fetch() { return new Response(this.word); } };');
  fs.writeFileSync(path.join(directory, 'nothing.mjs'), 'export const handler = 1;');
  fs.writeFileSync(path.join(directory, 'broken.mjs'), 'throw new Error("broken on purpose");');
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

type Given = Readonly<Record<string, string | true>>;
const build = (positional: string | undefined, given: Given = {}): ReturnType<typeof httpCommand.build> =>
  httpCommand.build(
    { positional, text: (name) => (typeof given[name] === 'string' ? given[name] : undefined), list: () => [], has: (name) => given[name] !== undefined },
    { log: silentLog, portOffset: 0 },
  );

test('the default is port 80', async () => {
  expect(await build(directory)).toMatchObject({ ok: true, value: { name: 'http', port: 80 } });
});

test.each([
  ['function.mjs', '/x'],
  ['object.mjs', 'object'],
])('--handler %s is served', async (file, body) => {
  const built = await build(undefined, { handler: path.join(directory, file) });
  if (!built.ok) throw new Error(built.error);
  const { peer } = serveInMemory(built.value);
  peer.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  await settled();
  expect(readResponses(peer.take())).toMatchObject([{ status: 200, body }]);
});

describe('a problem is a sentence that names what was given', () => {
  test.each<readonly [string, string | undefined, Given, string]>([
    ['a root that is not there', '/nowhere', {}, "ROOT '/nowhere' does not exist"],
    ['a root that is a file', process.execPath, {}, `ROOT '${process.execPath}' is not a directory`],
    ['a handler and a root', '.', { handler: 'x.mjs' }, "--handler x.mjs and the directory '.' were both given: serve one of them"],
    ['a handler and an option for files', undefined, { handler: 'x.mjs', spa: true }, '--spa is for files and has no meaning with --handler x.mjs'],
    ['a policy that does not exist', '.', { symlinks: 'some' }, "--symlinks is 'some', allowed is deny, inside, follow"],
    ['another policy that does not exist', '.', { dotfiles: 'some' }, "--dotfiles is 'some', allowed is deny, allow"],
    ['a Cache-Control that breaks a line', '.', { 'cache-control': 'a\r\nb' }, "--cache-control 'a\r\nb' can't be sent: only printable ASCII is allowed"],
  ])('%s', async (_, positional, given, error) => {
    expect(await build(positional, given)).toEqual({ ok: false, error });
  });

  test.each([
    ['nothing.mjs', 'its default export is neither a function nor an object with a fetch method'],
    ['broken.mjs', "it can't be loaded: broken on purpose"],
  ])('--handler %s', async (file, reason) => {
    const handler = path.join(directory, file);
    expect(await build(undefined, { handler })).toEqual({ ok: false, error: `--handler ${handler}: ${reason}` });
  });
});
