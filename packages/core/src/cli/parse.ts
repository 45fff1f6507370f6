// Command line in, values or a sentence for the user out. No process, no output.

import { parseArgs } from 'node:util';
import { nearestName } from '../option-names.ts';
import { fail, ok, type Result } from '../result.ts';
import { optionsOf, type CommandOptions } from './command-options.ts';
import { readCommon, type CommonValues } from './common-values.ts';
import { checkInetdOptions } from './inetd-options.ts';
import type { OptionSpec, OptionValues, ServerCommand } from './server-command.ts';

/** What is asked for instead of the command itself. */
export type Asked = 'help' | 'help-all' | 'version';

export type Request =
  { readonly type: Asked } | { readonly type: 'serve'; readonly common: CommonValues; readonly values: OptionValues };

/** Reads the arguments of a server command. The problem names the option, what was given and what is allowed. */
export function parseServerArguments(
  argv: readonly string[],
  command: Pick<ServerCommand, 'options' | 'positional' | 'schemes' | 'upgradesToTls' | 'without'>,
): Result<Request, string> {
  const { own, shared, refused } = optionsOf(command);
  const parsed = parseOptions(argv, [...own, ...shared], command.positional?.name, refused);
  if (!parsed.ok) return parsed;
  if (typeof parsed.value === 'string') return ok({ type: parsed.value });
  if (parsed.value.has('inetd')) {
    if (parsed.value.has('listen')) return fail('--inetd serves its standard input: it goes without --listen');
    const checked = checkInetdOptions(parsed.value, own);
    if (!checked.ok) return checked;
  }
  const common = readCommon(parsed.value, command);
  return common.ok ? ok({ type: 'serve', common: common.value, values: parsed.value }) : common;
}

/**
 * Splits the arguments by the table. `--help` and `--version` win over everything that comes after them. `refused` says
 * why an option is not taken.
 */
export function parseOptions(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  positionalName: string | undefined,
  refused: CommandOptions['refused'] = {},
): Result<OptionValues | Asked, string> {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      specs.map(
        (spec) => [spec.name, { type: spec.argument === undefined ? 'boolean' : 'string', multiple: true }] as const,
      ),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const texts = new Map<string, string[]>();
  let positional: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (positionalName === undefined) return fail(`unexpected argument '${token.value}'`);
      if (positional !== undefined)
        return fail(`unexpected argument '${token.value}': ${positionalName} was given before as '${positional}'`);
      positional = token.value;
      continue;
    }
    if (token.name === 'help' || token.rawName === '-h')
      return ok(token.value === 'all' || argv[token.index + 1] === 'all' ? 'help-all' : 'help');
    if (token.name === 'version') return ok('version');
    const spec = byName.get(token.name);
    if (spec === undefined) {
      const why = Object.hasOwn(refused, token.name) ? refused[token.name] : undefined;
      if (why !== undefined) return fail(`${token.rawName} ${why}`);
      return fail(`unknown option ${token.rawName}, see --help${meant(token.name, specs)}`);
    }
    if (spec.argument === undefined && token.value !== undefined)
      return fail(`${token.rawName} takes no value, '${token.value}' was given`);
    if (
      spec.argument !== undefined &&
      (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
    )
      return fail(`${token.rawName} needs a value: ${spec.argument}`);
    if (token.value === '' && FILES.has(spec.argument ?? ''))
      return fail(`${token.rawName} is '', expected ${spec.argument ?? ''}; a variable that stands there may be empty`);
    const given = texts.get(spec.name) ?? [];
    if (given.length > 0 && spec.repeatable !== true) return fail(`${token.rawName} was given more than once`);
    given.push(token.value ?? '');
    texts.set(spec.name, given);
  }
  return ok({
    positional,
    argument: (name) => byName.get(name)?.argument,
    text: (name) => texts.get(name)?.[0],
    list: (name) => texts.get(name) ?? [],
    has: (name) => texts.has(name),
  });
}

// Placeholders of what is opened or run: there is nothing without a name.
const FILES: ReadonlySet<string> = new Set(['FILE', 'PATH', 'DIR', 'PROGRAM']);

/** What other programs call it, by the options of this one that do the same. */
const NAMES_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  listen: ['address', 'bind', 'b', 'host', 'hostname', 'H', 'interface', 'l', 'p', 'port'],
  workers: ['cluster', 'concurrency', 'instances', 'j', 'processes', 'threads', 'w'],
  config: ['c', 'conf', 'f'],
  'tls-cert': ['cert', 'certificate', 'ssl', 'ssl-cert', 'https', 'secure', 'tls'],
  'tls-key': ['ssl-key', 'key', 'private-key'],
  'run-as': ['g', 'group', 'u', 'uid', 'user'],
  'log-level': ['debug', 'q', 'quiet', 'silent', 'v', 'verbose'],
  'access-log': ['log', 'log-file'],
  'idle-timeout': ['timeout', 't'],
  'max-connections': ['max-clients', 'limit'],
};

function meant(name: string, specs: readonly OptionSpec[]): string {
  const known = specs.map((spec) => spec.name);
  const same = Object.entries(NAMES_ELSEWHERE).find(([, others]) => others.includes(name))?.[0];
  const near = same !== undefined && known.includes(same) ? same : nearestName(name, known);
  const argument = specs.find((spec) => spec.name === near)?.argument;
  if (near === undefined) return '';
  return `; meant may be --${near}${near === same && argument !== undefined ? ` ${argument}` : ''}`;
}
