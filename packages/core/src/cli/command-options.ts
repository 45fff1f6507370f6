// Which options a command takes, and what is said of those that it does not: parsing and --help read the same answer.

import { COMMON_OPTIONS } from './common-options.ts';
import type { OptionSpec, ServerCommand } from './server-command.ts';

export interface CommandOptions {
  /** What this command alone has, or has its own words for. */
  readonly own: readonly OptionSpec[];
  /** What it has as every server has it. */
  readonly shared: readonly OptionSpec[];
  /** By name, why an option of other servers is refused: what follows the option in the message. */
  readonly refused: Readonly<Partial<Record<string, string>>>;
}

const WITHOUT_TLS = 'is of no use here: this server has no tls:// listeners';

const WITHOUT_ACCESS_LOG = 'is for http and ftp: of other connections the log on stderr tells';

const TLS_OPTIONS = ['tls-cert', 'tls-key', 'tls-client-ca', 'tls-client-cert'];

const FORMS: Readonly<Record<ServerCommand['schemes'][number], string>> = {
  tcp: 'tcp://HOST:PORT',
  tls: 'tls://HOST:PORT',
  udp: 'udp://HOST:PORT',
  unix: 'unix:PATH, unix:@NAME',
};

/** What may be listened on depends on the command. */
const worded = (spec: OptionSpec, schemes: ServerCommand['schemes']): OptionSpec =>
  spec.name === 'listen'
    ? { ...spec, help: `${schemes.map((scheme) => FORMS[scheme]).join(', ')}, fd://N or systemd:NAME; ${spec.help}` }
    : spec;

export function optionsOf({
  options,
  schemes,
  upgradesToTls = false,
  without = {},
}: Pick<ServerCommand, 'options' | 'schemes' | 'upgradesToTls' | 'without'>): CommandOptions {
  const speaksTls = upgradesToTls || schemes.includes('tls');
  const isOwn = new Set(options.map(({ name }) => name));
  const refused = {
    ...(isOwn.has('access-log') ? {} : { 'access-log': WITHOUT_ACCESS_LOG }),
    ...(speaksTls ? {} : Object.fromEntries(TLS_OPTIONS.map((name) => [name, WITHOUT_TLS]))),
    ...without,
  };
  const shared = COMMON_OPTIONS.filter(({ name }) => !isOwn.has(name) && !Object.hasOwn(refused, name)).map((spec) =>
    worded(spec, schemes),
  );
  return { own: options, shared, refused };
}
