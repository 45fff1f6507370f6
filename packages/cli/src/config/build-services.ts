// From the options of a configuration to the services that they mean, by the readers and builders that the command line
// has, or to every mistake that these find.

import type { Service } from '@wellknown/core';
import {
  companionServices,
  defaultEndpoint,
  optionsOf,
  readCommon,
  serviceOf,
  type BuildContext,
  type CommonValues,
  type OptionValues,
  type ServerCommand,
} from '@wellknown/core/cli';
import { fail, ok, type Identity, type Protocol, type Result } from '@wellknown/core';
import { blame } from './blame.ts';
import { POSITIONAL, serviceKeys } from './config-keys.ts';
import { unreadableAs } from './read-as.ts';
import { revisionOf } from './revision.ts';
import { effectiveOptions, type EffectiveOptions } from './effective-options.ts';
import { valuesOf, type ConfigTexts, type OptionTexts, type ServiceTexts } from './option-texts.ts';
import type { Problem } from './places.ts';
import { commandOf } from './protocols.ts';
import { allMistakes } from './read-program.ts';

export interface BuiltService {
  readonly name: string;
  readonly protocol: string;
  readonly options: EffectiveOptions;
  /** The service, and those that it brings along. */
  readonly services: readonly Service[];
}

/**
 * Each of the services, or every problem of all of them. Nothing is bound; a `context` that serves loads code. What
 * `isServed` knows by name and revision is only checked.
 */
export async function buildServices(
  config: ConfigTexts,
  commandLine: OptionTexts,
  context: BuildContext,
  isServed: (name: string, revision: string) => boolean = () => false,
): Promise<Result<readonly BuiltService[], readonly Problem[]>> {
  const problems: Problem[] = [];
  const built: BuiltService[] = [];
  const opened: (() => void)[] = [];
  for (const service of config.services) {
    const command = commandOf(service.protocol);
    const options = effectiveOptions(config, service, command, commandLine);
    const revision = revisionOf(service.protocol, options.texts, serviceKeys(command), context.portOffset);
    const isCheck = context.isCheck === true || isServed(service.name, revision);
    const releases: (() => void)[] = [];
    const whenReleased = (release: () => void): void => void releases.push(release);
    const read = await allMistakes(
      options,
      ['services', service.name],
      (texts) => buildService(service, command, texts, { ...context, isCheck, whenReleased }),
      service.unread,
    );
    if (read.ok)
      built.push({
        name: service.name,
        protocol: service.protocol,
        options,
        // Those that it brings along have nothing open.
        services: read.value.map((one, index) => ({
          ...one,
          revision,
          ...(index > 0 || releases.length === 0 ? {} : { release: () => each(releases) }),
        })),
      });
    else problems.push(...read.error);
    opened.push(...releases);
  }
  problems.push(...sharedEndpoints(built));
  if (context.isCheck === true && context.runAs !== undefined) problems.push(...closedTo(context.runAs, config, built));
  if (problems.length === 0) return ok(built);
  each(opened);
  return fail(problems);
}

function each(releases: readonly (() => void)[]): void {
  for (const release of releases) release();
}

async function buildService(
  { name }: ServiceTexts,
  command: ServerCommand,
  texts: OptionTexts,
  context: BuildContext,
): Promise<Result<readonly Service[], string>> {
  const { own, shared } = optionsOf(command);
  const values = valuesOf(texts, [...own, ...shared]);
  const common = readCommon(values, command);
  if (!common.ok) return common;
  const protocol = await command.build(values, context);
  if (!protocol.ok) return protocol;
  const companions = command.companions?.(values) ?? ok([]);
  if (!companions.ok) return companions;
  return served(name, command, values, common.value, [protocol.value, ...companions.value], context.portOffset);
}

function served(
  name: string,
  command: ServerCommand,
  values: OptionValues,
  common: CommonValues,
  [protocol, ...companions]: readonly [Protocol, ...Protocol[]],
  portOffset: number,
): Result<readonly Service[], string> {
  const scheme = command.defaultSchemeOf?.(values) ?? command.defaultScheme;
  const listen =
    common.listen.length > 0
      ? common.listen.map(({ text }) => text)
      : [defaultEndpoint(scheme, protocol.port, portOffset)];
  const others = companionServices(companions, listen, portOffset);
  if (!others.ok) return others;
  const services: Service[] = [];
  for (const one of [{ protocol, listen }, ...others.value]) {
    const service = serviceOf(
      one.protocol,
      common,
      [one.listen ?? []].flat().map(String),
      command.serverOptions?.(values),
    );
    if (!service.ok) return service;
    services.push({ ...service.value, name: one.protocol === protocol ? name : `${name}-${one.protocol.name}` });
  }
  return ok(services);
}

// What workers read by themselves. Certificates and keys they are given.
const READ_BY_WORKERS = [POSITIONAL, 'users', 'handler'];

/** What the user of runAs may not read, whatever the one who checks may. */
function closedTo(runAs: Identity, { program }: ConfigTexts, built: readonly BuiltService[]): readonly Problem[] {
  const files = built.flatMap(({ name, options }) =>
    READ_BY_WORKERS.flatMap((option) => (options.texts[option] ?? []).map((file) => ({ name, options, option, file }))),
  );
  if (files.length === 0) return [];
  const closed = unreadableAs(
    runAs,
    files.map(({ file }) => file),
  );
  const user = program['run-as']?.[0]?.split(':', 1)[0] ?? String(runAs.uid);
  return files
    .filter(({ file }) => closed.includes(file))
    .map(({ name, options, option, file }) => {
      const what = option === POSITIONAL ? 'ROOT' : `--${option}`;
      const message = `${what} '${file}' can't be read (EACCES) by those who serve: they are the user '${user}' (runAs)`;
      return blame(message, options, ['services', name]).problem;
    });
}

/** Two services can't listen on one endpoint; port 0 is another one for each. */
function sharedEndpoints(built: readonly BuiltService[]): readonly Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, string>();
  for (const { name, options, services } of built)
    for (const { listen } of services)
      for (const text of [listen ?? []].flat().map(String)) {
        const key = text.replace(/^tls:/, 'tcp:');
        const other = first.get(key);
        if (other === undefined) first.set(key, name);
        else if (other !== name && !key.endsWith(':0')) {
          const index = options.texts.listen?.indexOf(text) ?? -1;
          const path = [
            'services',
            name,
            ...(index < 0 ? [] : ['listen', ...((options.texts.listen?.length ?? 0) > 1 ? [index] : [])]),
          ];
          problems.push({ path, message: `'${text}' is listened on by the service '${other}' already` });
        }
      }
  return problems;
}
