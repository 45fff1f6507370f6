// The command line of the FTP server: texts from the user in, a protocol or one sentence about what is wrong out.

import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, ok, type Logger, type Protocol, type Result } from '@wellknown/core';
import { isIpv4 } from '@wellknown/core/endpoint';
import type { OptionValues, ServerCommand } from '@wellknown/core/cli';
import { readStorage, STORAGE_OPTIONS, sweepOnce } from './cli-storage.ts';
import { readBans, readUsers, USER_OPTIONS } from './cli-users.ts';
import { diskFileSystem } from './storage/disk-file-system.ts';
import { ftpProtocol } from './protocol.ts';

/** `wellknown ftp`, and `wellknown-ftp` on its own. */
export const ftpCommand: ServerCommand = {
  name: 'ftp',
  summary: 'an FTP server for a directory: read-only and anonymous unless accounts are given',
  positional: { name: 'ROOT', help: 'the directory to serve; default: the current one' },
  options: [
    ...USER_OPTIONS,
    ...STORAGE_OPTIONS,
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
  build: async (values, { log }) => buildProtocol(values, log),
};

async function buildProtocol(values: OptionValues, log: Logger): Promise<Result<Protocol, string>> {
  const root = path.resolve(values.positional ?? '.');
  if (!(await isDirectory(root))) return fail(`ROOT is '${root}', which is not a directory`);
  const storage = readStorage(values);
  if (!storage.ok) return storage;
  const users = await readUsers(values, root, storage.value, process.env);
  if (!users.ok) return users;
  const bans = readBans(values);
  if (!bans.ok) return bans;
  const passivePorts = readPorts(values.text('passive-ports'));
  if (!passivePorts.ok) return passivePorts;
  const passiveAddress = await readAddress(values.text('passive-address'));
  if (!passiveAddress.ok) return passiveAddress;
  sweepOnce(root, log);
  return ok(
    ftpProtocol({
      fileSystem: diskFileSystem(root, storage.value),
      authenticate: users.value.authenticate,
      bans: bans.value,
      active: !values.has('no-active'),
      ...(passivePorts.value === undefined ? {} : { passivePorts: passivePorts.value }),
      ...(passiveAddress.value === undefined ? {} : { passiveAddress: passiveAddress.value }),
    }),
  );
}

const isDirectory = async (file: string): Promise<boolean> => {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
};

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
