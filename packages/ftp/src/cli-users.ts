// The options that say who may log in, and what they may do.

import { fail, ok, type BanPolicy, type Logger, type Result } from '@wellknown/core';
import { readNumber, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import type { Homes } from './cli-storage.ts';
import type { FileSystem } from './file-system.ts';
import { resolvePath } from './path.ts';
import { accountsAuthenticator, anyAuthenticator, isAnonymous, type Account } from './users/accounts.ts';
import type { Authenticate, Grant } from './users/login.ts';
import { passwordFile } from './users/password-file.ts';
import { isNamedRights, NAMED_RIGHTS, type NamedRights, type RightsByPath } from './users/rights.ts';

export const USER_OPTIONS = [
  {
    name: 'account',
    argument: 'NAME:PASSWORD[:HOME]',
    repeatable: true,
    help: 'a user; HOME is a directory under ROOT that this user sees as /',
  },
  {
    name: 'account-env',
    argument: 'NAME:VARIABLE[:HOME]',
    repeatable: true,
    help: 'the same with the password in an environment variable, where ps does not show it and it may hold a colon',
  },
  {
    name: 'users',
    argument: 'FILE',
    help: 'users with hashed passwords, as htpasswd writes them; a third field is a HOME and a fourth the rights; read again when it changes',
  },
  { name: 'anonymous', help: 'anonymous users may read; the default where there are no accounts' },
  { name: 'write', help: 'accounts may change files; anonymous users never do' },
  {
    name: 'rights',
    argument: 'PATH:RIGHTS',
    repeatable: true,
    help: 'what accounts may do at PATH, as they see it, and below: none, read, full, create-only or drop-box',
  },
  {
    name: 'ban-after',
    argument: 'N',
    help: 'failed logins after which an address is turned away for --ban-time, over all workers; one is forgotten each minute (default 20; 0: never)',
  },
  { name: 'ban-time', argument: 'SECONDS', help: 'default 600' },
] as const satisfies ServerCommand['options'];

/** Reads when an address is banned. */
export function readBans(values: OptionValues): Result<Partial<BanPolicy>, string> {
  const after = readNumber(values, 'ban-after', { whole: true, min: 0 });
  if (!after.ok) return after;
  const seconds = readNumber(values, 'ban-time', { min: 0 });
  if (!seconds.ok) return seconds;
  return ok({
    ...(after.value !== undefined && { maxOffences: after.value }),
    ...(seconds.value !== undefined && { banMs: seconds.value * 1000 }),
  });
}

/** Who the options let in. */
export interface Users {
  readonly authenticate: Authenticate;
  readonly hasAccounts: boolean;
}

/** Reads the options. No sentence about what is wrong holds a password: they end up in logs. */
export async function readUsers(
  values: OptionValues,
  homes: Homes,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): Promise<Result<Users, string>> {
  const rights = readRights(values);
  if (!rights.ok) return rights;
  const accounts: Account[] = [];
  const specs = [
    ...values.list('account').map((text) => parseAccount(text)),
    ...values.list('account-env').map((text) => parseAccountEnv(text, environment)),
  ];
  for (const spec of specs) {
    if (!spec.ok) return spec;
    const { option, name, password, home } = spec.value;
    if (accounts.some((account) => account.name === name)) return fail(`--${option} '${name}:…' is given twice`);
    const place = await fileSystemOf(homes, home);
    if (place === undefined)
      return fail(`--${option} '${name}:…': HOME is '${home ?? ''}', which is not a directory under ROOT`);
    accounts.push({ name, password, rights: rights.value, ...place });
  }
  const file = values.text('users');
  const fromFile = file === undefined ? undefined : await readUsersFile(file, homes, rights.value, log);
  if (fromFile?.ok === false) return fromFile;
  const hasAccounts = accounts.length > 0 || fromFile !== undefined;
  for (const option of ['write', 'rights', 'quota', 'on-upload'])
    if (values.has(option) && !hasAccounts)
      return fail(`--${option} needs an --account: anonymous users never change files`);
  const anonymous = values.has('anonymous') || !hasAccounts ? {} : undefined;
  const listed = accountsAuthenticator({ accounts, anonymous });
  return ok({
    hasAccounts,
    authenticate: fromFile === undefined ? listed : anyAuthenticator([listed, fromFile.value]),
  });
}

/** Where a home leads: nothing of its own without one, undefined when it is no directory under the root. */
async function fileSystemOf(
  homes: Homes,
  home: string | undefined,
): Promise<{ readonly fileSystem?: FileSystem } | undefined> {
  if (home === undefined || home === '') return {};
  const fileSystem = await homes.open(home);
  return fileSystem === undefined ? undefined : { fileSystem };
}

interface AccountSpec {
  readonly option: string;
  readonly name: string;
  readonly password: string;
  readonly home: string | undefined;
}

function parseAccount(text: string): Result<AccountSpec, string> {
  const [, name, password, home] = /^([^:]+):([^:]+)(?::(.*))?$/.exec(text) ?? [];
  const shown = `${text.split(':', 1)[0] ?? ''}:…`;
  if (name === undefined || password === undefined)
    return fail(`--account '${shown}' is not of the form NAME:PASSWORD[:HOME]`);
  return named({ option: 'account', name, password, home });
}

function parseAccountEnv(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Result<AccountSpec, string> {
  const [, name, variable, home] = /^([^:]+):([^:]+)(?::(.*))?$/.exec(text) ?? [];
  if (name === undefined || variable === undefined)
    return fail(`--account-env '${text}' is not of the form NAME:VARIABLE[:HOME]`);
  const password = environment[variable];
  if (password === undefined || password === '')
    return fail(`--account-env '${text}': the environment has no variable '${variable}' with a password`);
  return named({ option: 'account-env', name, password, home });
}

function named(spec: AccountSpec): Result<AccountSpec, string> {
  const which = `--${spec.option} '${spec.name}:…'`;
  if (/[\0-\x20\x7f]/.test(spec.name)) return fail(`${which}: the name holds a space or a control character`);
  if (isAnonymous(spec.name)) return fail(`${which}: this name belongs to anonymous users, see --anonymous`);
  return ok(spec);
}

function readRights(values: OptionValues): Result<RightsByPath, string> {
  const rules: Record<`/${string}`, NamedRights> = { '/': values.has('write') ? 'full' : 'read' };
  for (const text of values.list('rights')) {
    const colon = text.lastIndexOf(':');
    const rights = text.slice(colon + 1);
    const at = text.startsWith('/') && colon > 0 ? resolvePath('/', text.slice(0, colon)) : undefined;
    if (at?.ok !== true || !isNamedRights(rights))
      return fail(
        `--rights '${text}' is not of the form PATH:RIGHTS with a path from / and ${Object.keys(NAMED_RIGHTS).join(', ')}`,
      );
    rules[at.value as `/${string}`] = rights;
  }
  return ok(rules);
}

async function readUsersFile(
  file: string,
  homes: Homes,
  rights: RightsByPath,
  log: Logger,
): Promise<Result<Authenticate, string>> {
  const grant = async (entry: {
    readonly home: string | undefined;
    readonly rights: NamedRights | undefined;
  }): Promise<Grant> => {
    const place = await fileSystemOf(homes, entry.home);
    // Rejected, so that the login fails and the log says why.
    if (place === undefined) throw new Error(`the home '${entry.home ?? ''}' is not a directory under ROOT`);
    return { ...place, rights: entry.rights === undefined ? rights : { ...rights, '/': entry.rights } };
  };
  const authenticate = await passwordFile(file, {
    grant,
    changedBadly: (problem) => log.error({ file, problem }, "the users file can't be used; the users of before stay"),
  });
  return authenticate.ok ? authenticate : fail(`--users '${file}': ${authenticate.error}`);
}
