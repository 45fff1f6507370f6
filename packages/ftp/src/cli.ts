// The command line of the FTP server: texts from the user in, a protocol or one sentence about what is wrong out. What it
// says of users, storage, the network and operation stands in files of its own beside this one.

import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, fileProblem, ok, systemClock, type Protocol, type Result } from '@wellknown/core';
import { openProgramAccessLog, type BuildContext, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import { atHosts, HOST_OPTIONS, readHosts } from './cli-hosts.ts';
import { isImplicit, NETWORK_OPTIONS, readNetwork } from './cli-network.ts';
import { Homes, readStorage, STORAGE_OPTIONS, sweepOnce } from './cli-storage.ts';
import { readTransfers, TRANSFER_OPTIONS } from './cli-transfers.ts';
import { readBans, readUsers, USER_OPTIONS } from './cli-users.ts';
import { ftpProtocol, type FtpOptions } from './protocol.ts';
import { xferlogLine } from './xferlog.ts';

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
    ...USER_OPTIONS,
    ...HOST_OPTIONS,
    ...STORAGE_OPTIONS,
    ...TRANSFER_OPTIONS,
    ...NETWORK_OPTIONS,
    {
      name: 'access-log',
      argument: 'FILE',
      help: 'a line for each transfer in the xferlog format, opened again on USR1; - is stderr (default: none)',
    },
  ],
  defaultScheme: 'tcp',
  defaultSchemeOf: (values) => (isImplicit(values) ? 'tls' : 'tcp'),
  schemes: ['tcp', 'tls'],
  upgradesToTls: true,
  build: buildProtocol,
};

// Of implicit TLS: IANA's ftps.
const FTPS_PORT = 990;

async function buildProtocol(values: OptionValues, context: BuildContext): Promise<Result<Protocol, string>> {
  const root = path.resolve(values.positional ?? '.');
  const problem = await problemOfRoot(root);
  if (problem !== undefined) return fail(`ROOT is '${root}', which ${problem}`);
  const storage = await readStorage(values, context.log);
  if (!storage.ok) return storage;
  const homes = new Homes(root, storage.value);
  const users = await readUsers(values, homes, process.env, context.log);
  if (!users.ok) return users;
  const hosts = await readHosts(values, homes);
  if (!hosts.ok) return hosts;
  const bans = readBans(values);
  if (!bans.ok) return bans;
  const transfers = await readTransfers(values);
  if (!transfers.ok) return transfers;
  const network = await readNetwork(values);
  if (!network.ok) return network;
  const accessLog = openProgramAccessLog(values.text('access-log'), context);
  if (!accessLog.ok) return accessLog;
  if (context.isCheck !== true) sweepOnce(root, context.log);
  const protocol = ftpProtocol({
    fileSystem: homes.root,
    authenticate: hosts.value === undefined ? users.value.authenticate : atHosts(users.value.authenticate, hosts.value),
    ...(hosts.value !== undefined && { hosts: hosts.value.hosts }),
    bans: bans.value,
    ...transfers.value,
    ...network.value,
    ...(accessLog.value !== undefined && xferlog(accessLog.value)),
    session: { ...transfers.value.session, ...network.value.session },
  });
  const served = storage.value.program?.around(protocol) ?? protocol;
  return ok(isImplicit(values) ? { ...served, port: FTPS_PORT } : served);
}

/** Writes a line for each transfer. */
export const xferlog = (write: (line: string) => void): Required<Pick<FtpOptions, 'onTransfer'>> => ({
  onTransfer(report) {
    const line = xferlogLine(report, systemClock.wallMs());
    if (line !== undefined) write(line);
  },
});

async function problemOfRoot(root: string): Promise<string | undefined> {
  try {
    if (!(await stat(root)).isDirectory()) return 'is not a directory';
    // To be entered is enough: what is in it may be fetched, though not listed.
    await access(root, constants.X_OK);
    return undefined;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing ? 'is not a directory: it does not exist' : fileProblem('read', error);
  }
}
