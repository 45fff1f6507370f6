// The command line of the FTP server: texts from the user in, a protocol or one sentence about what is wrong out.

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, ok, type Protocol, type Result } from '@wellknown/core';
import { isIpv4 } from '@wellknown/core/endpoint';
import { readChoice, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import { isAnonymous, type Account } from './users/accounts.ts';
import { diskFileSystem } from './storage/disk-file-system.ts';
import { invalidHost } from './passive-address.ts';
import { resolvePath } from './path.ts';
import { resolveIpv4 } from './resolve-ipv4.ts';
import { ftpProtocol, type FtpOptions } from './protocol.ts';

/** `wellknown ftp`, and `wellknown-ftp` on its own. */
export const ftpCommand: ServerCommand = {
  name: 'ftp',
  summary: 'an FTP server for a directory: read-only and anonymous unless accounts are given',
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
    {
      name: 'tls-mode',
      argument: 'MODE',
      help: 'explicit: clients may say AUTH TLS; required: they must before they log in, and data must be private too; implicit: tls:// listeners, by default on port 990 (default explicit, where there is a certificate)',
    },
    {
      name: 'tls-data',
      argument: 'RULE',
      help: 'optional or required: whether data connections must be private (default: required with --tls-mode required)',
    },
    {
      name: 'tls-session-reuse',
      argument: 'RULE',
      help: 'offer, or require: a private data connection must resume the TLS session of its control connection (default offer)',
    },
    {
      name: 'ascii',
      argument: 'WHAT',
      help: 'what TYPE A does to files: convert their line ends, ignore (move them as they are), or refuse to move them (default convert)',
    },
    {
      name: 'default-type',
      argument: 'TYPE',
      help: 'ascii or image, until a client says TYPE; image is for devices that send files without it (default ascii)',
    },
  ],
  defaultScheme: 'tcp',
  defaultSchemeOf: (values) => (isImplicit(values) ? 'tls' : 'tcp'),
  schemes: ['tcp', 'tls'],
  upgradesToTls: true,
  build: async (values) => buildProtocol(values),
};

const isImplicit = (values: OptionValues): boolean => values.text('tls-mode') === 'implicit';
// Of implicit TLS (RFC 4217 does not know it; IANA does).
const FTPS_PORT = 990;

async function buildProtocol(values: OptionValues): Promise<Result<Protocol, string>> {
  const root = path.resolve(values.positional ?? '.');
  if (!(await isDirectory(root))) return fail(`ROOT is '${root}', which is not a directory`);
  const accounts = await readAccounts(values.list('account'), root, values.has('write'));
  if (!accounts.ok) return accounts;
  if (values.has('write') && accounts.value.length === 0)
    return fail('--write needs an --account: anonymous users never change files');
  const passivePorts = readPorts(values.text('passive-ports'));
  if (!passivePorts.ok) return passivePorts;
  const passiveAddress = await readAddress(values.text('passive-address'));
  if (!passiveAddress.ok) return passiveAddress;
  const security = readSecurity(values);
  if (!security.ok) return security;
  const ascii = readChoice(values, 'ascii', ['convert', 'ignore', 'refuse']);
  if (!ascii.ok) return ascii;
  const defaultType = readChoice(values, 'default-type', ['ascii', 'image']);
  if (!defaultType.ok) return defaultType;
  return ok({
    ...ftpProtocol({
      fileSystem: diskFileSystem(root),
      accounts: accounts.value,
      anonymous: values.has('anonymous') || accounts.value.length === 0,
      active: !values.has('no-active'),
      ...(passivePorts.value === undefined ? {} : { passivePorts: passivePorts.value }),
      ...(passiveAddress.value === undefined ? {} : { passiveAddress: passiveAddress.value }),
      ...(ascii.value === undefined ? {} : { ascii: ascii.value }),
      ...(defaultType.value === undefined ? {} : { defaultType: defaultType.value }),
      ...security.value,
    }),
    ...(isImplicit(values) ? { port: FTPS_PORT } : {}),
  });
}

function readSecurity(values: OptionValues): Result<Pick<FtpOptions, 'requireTls' | 'tlsSessionReuse'>, string> {
  const mode = readChoice(values, 'tls-mode', ['explicit', 'implicit', 'required']);
  if (!mode.ok) return mode;
  const data = readChoice(values, 'tls-data', ['optional', 'required']);
  if (!data.ok) return data;
  const reuse = readChoice(values, 'tls-session-reuse', ['offer', 'require']);
  if (!reuse.ok) return reuse;
  if (values.list('tls-cert').length === 0) {
    const useless = ['tls-mode', 'tls-data', 'tls-session-reuse'].find((name) => values.has(name));
    if (useless !== undefined) return fail(`--${useless} needs --tls-cert and --tls-key`);
  }
  const clear = mode.value === 'implicit' ? values.list('listen').find((text) => text.startsWith('tcp:')) : undefined;
  if (clear !== undefined)
    return fail(`--tls-mode implicit goes with tls:// listeners, '${clear}' begins in clear; 'required' is for both`);
  const control = mode.value === 'required' ? 'required' : 'optional';
  const requireTls =
    (data.value ?? control) === 'required' ? 'data' : control === 'required' ? ('control' as const) : ('none' as const);
  return ok({ requireTls, ...(reuse.value === undefined ? {} : { tlsSessionReuse: reuse.value }) });
}

const isDirectory = async (file: string): Promise<boolean> => {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
};

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
    if (!invalidHost(text)) await resolveIpv4(text);
  } catch {
    return fail(`--passive-address '${text}' is neither an IPv4 address nor a name that has one`);
  }
  // The name itself: it is asked for again later.
  return invalidHost(text)
    ? fail(`--passive-address '${text}' is neither an IPv4 address nor a name that could have one`)
    : ok(text);
}
