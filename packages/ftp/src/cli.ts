// The command line of the FTP server: texts from the user in, a protocol or one sentence about what is wrong out.

import { lookup } from 'node:dns/promises';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, ok, type Protocol, type Result } from '@wellknown/core';
import { isIpv4 } from '@wellknown/core/endpoint';
import type { OptionValues, ServerCommand } from '@wellknown/core/cli';
import { isAnonymous, type Account } from './accounts.ts';
import { diskFileSystem } from './disk-file-system.ts';
import { resolvePath } from './path.ts';
import { ftpProtocol } from './protocol.ts';

/** `wellknown ftp`, and `wellknown-ftp` on its own. */
export const ftpCommand: ServerCommand = {
  name: 'ftp',
  summary: 'an FTP server for a directory: read-only and anonymous unless accounts are given',
  examples: [
    { line: './pub --port-offset 8000', does: 'Let everybody on this machine read a folder, port 8021' },
    { line: './pub --listen tcp://:21', does: 'Let everybody on the network read it' },
    { line: './pub --account ann:secret --write --listen tcp://:21', does: 'Let one account change it' },
  ],
  positional: { name: 'ROOT', help: 'the directory to serve; default: the current one' },
  options: [
    {
      name: 'account',
      argument: 'NAME:PASSWORD[:HOME]',
      repeatable: true,
      help: 'a user; HOME is a directory under ROOT that this user sees as /',
    },
    { name: 'anonymous', help: 'anonymous users may read; the default where there are no accounts' },
    { name: 'write', help: 'accounts may change files; anonymous users never do' },
    { name: 'passive-ports', argument: 'A-B', help: 'ports for passive data connections; default: any' },
    {
      name: 'passive-address',
      argument: 'HOST',
      help: 'the IPv4 address that PASV names; default: the one the client has reached',
    },
    { name: 'no-active', help: 'refuse PORT and EPRT' },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp'],
  build: async (values) => buildProtocol(values),
};

async function buildProtocol(values: OptionValues): Promise<Result<Protocol, string>> {
  const root = path.resolve(values.positional ?? '.');
  const problem = await problemOfRoot(root);
  if (problem !== undefined) return fail(`ROOT is '${root}', which ${problem}`);
  const accounts = await readAccounts(values.list('account'), root, values.has('write'));
  if (!accounts.ok) return accounts;
  if (values.has('write') && accounts.value.length === 0)
    return fail('--write needs an --account: anonymous users never change files');
  const passivePorts = readPorts(values.text('passive-ports'));
  if (!passivePorts.ok) return passivePorts;
  const passiveAddress = await readAddress(values.text('passive-address'));
  if (!passiveAddress.ok) return passiveAddress;
  return ok(
    ftpProtocol({
      fileSystem: diskFileSystem(root),
      accounts: accounts.value,
      anonymous: values.has('anonymous') || accounts.value.length === 0,
      active: !values.has('no-active'),
      ...(passivePorts.value === undefined ? {} : { passivePorts: passivePorts.value }),
      ...(passiveAddress.value === undefined ? {} : { passiveAddress: passiveAddress.value }),
    }),
  );
}

async function problemOfRoot(root: string): Promise<string | undefined> {
  try {
    if (!(await stat(root)).isDirectory()) return 'is not a directory';
    // To be entered is enough: what is in it may be fetched, though not listed.
    await access(root, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ENOENT' ? 'is not a directory: it does not exist' : `can't be read (${code})`;
  }
}

async function readAccounts(
  texts: readonly string[],
  root: string,
  mayWrite: boolean,
): Promise<Result<Account[], string>> {
  const accounts: Account[] = [];
  for (const text of texts) {
    const [, name, password, home] = /^([^:]+):([^:]+)(?::(.*))?$/.exec(text) ?? [];
    // The password stays out of every message: they end up in logs.
    const shown = `${text.split(':', 1)[0] ?? ''}:…`;
    if (name === undefined || password === undefined)
      return fail(`--account '${shown}' is not of the form NAME:PASSWORD[:HOME]`);
    if (/[\0-\x20\x7f]/.test(name)) return fail(`--account '${shown}': the name holds a space or a control character`);
    if (isAnonymous(name)) return fail(`--account '${shown}': this name belongs to anonymous users, see --anonymous`);
    if (accounts.some((account) => account.name === name)) return fail(`--account '${shown}' is given twice`);
    if (home === undefined || home === '') {
      accounts.push({ name, password, mayWrite });
      continue;
    }
    const place = await homeOf(root, home);
    if (place === undefined)
      return fail(`--account '${shown}': HOME is '${home}', which is not a directory under ROOT`);
    accounts.push({ name, password, mayWrite, fileSystem: diskFileSystem(place) });
  }
  return ok(accounts);
}

/** The directory `home` under `root`; undefined when there is none, or when it leads out. */
async function homeOf(root: string, home: string): Promise<string | undefined> {
  // Asked of the same file system that will serve: what a user could not reach is no home either.
  if (home.split('/').includes('..')) return undefined;
  const inside = resolvePath('/', home);
  if (!inside.ok) return undefined;
  const entry = await diskFileSystem(root).stat(inside.value);
  return entry.ok && entry.value.type === 'directory' ? path.join(root, inside.value) : undefined;
}

function readPorts(
  text: string | undefined,
): Result<{ readonly from: number; readonly to: number } | undefined, string> {
  if (text === undefined) return ok(undefined);
  const [, from, to] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (from === undefined || to === undefined || from < 1 || to > 65_535 || from > to) {
    return fail(`--passive-ports '${text}' is not of the form A-B with ports from 1 to 65535, the lower one first`);
  }
  return ok({ from, to });
}

async function readAddress(text: string | undefined): Promise<Result<string | undefined, string>> {
  if (text === undefined || isIpv4(text)) return ok(text);
  try {
    return ok((await lookup(text, { family: 4 })).address);
  } catch {
    return fail(`--passive-address '${text}' is neither an IPv4 address nor a name that has one`);
  }
}
