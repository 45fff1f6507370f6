// The option that names virtual hosts (RFC 7151): one server, which shows clients what belongs to the name they have asked for.

import { fail, ok, type Result } from '@wellknown/core';
import type { OptionSpec, OptionValues } from '@wellknown/core/cli';
import type { Homes } from './cli-storage.ts';
import type { FileSystem } from './file-system.ts';
import type { FtpOptions } from './protocol.ts';
import { hostOf } from './session-state.ts';
import type { Authenticate } from './users/login.ts';

export const HOST_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'virtual-host',
    argument: 'NAME[:HOME]',
    repeatable: true,
    help: 'a name of this server, by which clients ask for it with HOST or in the TLS handshake; HOME is what they then see as /, unless their account has its own; HOST with another name is refused (default: every name is the same)',
  },
];

/** The names, and what whoever names one sees; undefined without any. */
export interface VirtualHosts extends Required<Pick<FtpOptions, 'hosts'>> {
  readonly homes: ReadonlyMap<string, FileSystem>;
}

/** Reads the option, or says what is wrong with it. */
export async function readHosts(values: OptionValues, homes: Homes): Promise<Result<VirtualHosts | undefined, string>> {
  const texts = values.list('virtual-host');
  if (texts.length === 0) return ok(undefined);
  const hosts: string[] = [];
  const byHost = new Map<string, FileSystem>();
  for (const text of texts) {
    const [, given = '', home = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? [];
    const name = hostOf(given);
    if (name === undefined)
      return fail(`--virtual-host '${text}' is not of the form NAME[:HOME] with the name of a host`);
    if (hosts.includes(name)) return fail(`--virtual-host '${text}': '${name}' was given before`);
    hosts.push(name);
    if (home === '') continue;
    const files = await homes.open(home);
    if (files === undefined)
      return fail(`--virtual-host '${text}': HOME is '${home}', which is not a directory under ROOT`);
    byHost.set(name, files);
  }
  return ok({ hosts, homes: byHost });
}

/** Whoever has named a host, and has no file system of their own, gets the one of the host. */
export const atHosts =
  (authenticate: Authenticate, { homes }: VirtualHosts): Authenticate =>
  async (credentials) => {
    const verdict = await authenticate(credentials);
    const fileSystem = credentials.host === undefined ? undefined : homes.get(credentials.host);
    return typeof verdict === 'object' && fileSystem !== undefined ? { fileSystem, ...verdict } : verdict;
  };
