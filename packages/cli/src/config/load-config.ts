// A configuration from the file to its services, with every mistake in it: for `check`, for a start and for a reload.

import path from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';
import type { BuildContext, CommonValues, ServerCommand } from '@wellknown/core/cli';
import { blame } from './blame.ts';
import type { BuiltService } from './build-services.ts';
import { readConfigFile } from './config-file.ts';
import { programOptions } from './effective-options.ts';
import type { OptionTexts } from './option-texts.ts';
import { pathText, type Place, type Places, type Problem } from './places.ts';
import { readConfig, type ReadConfig } from './read-config.ts';
import { readProgram } from './read-program.ts';
import { readSecret, type SecretRef } from './secrets.ts';

/** One mistake, as it is told. */
export interface Mistake extends Partial<Place> {
  readonly file: string;
  /** `services.web.listen[1]`; empty where it is about the whole file. */
  readonly key: string;
  readonly message: string;
}

export interface LoadedConfig {
  readonly file: string;
  readonly config: ReadConfig;
  readonly program: CommonValues;
  readonly services: readonly BuiltService[];
}

/** What the services are built with, once the options of the program are known. The problem is a sentence. */
export type ContextFor = (program: CommonValues) => Result<BuildContext, string>;

/** Reads `file`. What the command line says goes before it. What `isServed` knows is built for its checks alone. */
export async function loadConfig(
  file: string,
  commandLine: OptionTexts,
  environment: Readonly<Record<string, string | undefined>>,
  contextFor: ContextFor,
  isServed?: (name: string, revision: string) => boolean,
): Promise<Result<LoadedConfig, readonly Mistake[]>> {
  const read = await readConfigFile(file);
  if (!read.ok) return fail([{ file, key: '', message: read.error }]);
  const { value, places, problems: ofSyntax } = read.value;
  if (ofSyntax.length > 0) return fail(ofSyntax.map(({ message, place }) => ({ file, key: '', message, ...place })));
  const folder = path.dirname(path.resolve(file));
  // Once each: what comes through a pipe is gone then.
  const secrets = new Map<string, Result<string, string>>();
  const secretOf = (ref: SecretRef): Result<string, string> => {
    const key = JSON.stringify(ref);
    const secret = secrets.get(key) ?? readSecret(ref, folder, environment);
    secrets.set(key, secret);
    return secret;
  };
  const readWith = (commands: readonly ServerCommand[]): ReadConfig =>
    readConfig(value, { commands, folder, readSecret: secretOf });
  // The options of the program need no protocol: who makes its workers by them need not wait for the servers to be loaded.
  const program = await readProgram(readWith([]), commandLine);
  // Where options of the program are wrong, the services are looked at nevertheless.
  const base = program.ok ? program : await readProgram({ program: {}, services: [] }, {});
  const context = base.ok ? contextFor(base.value) : fail('');
  const [{ PROTOCOLS }, { buildServices }] = await Promise.all([
    import('./protocols.ts'),
    import('./build-services.ts'),
  ]);
  const config = readWith(PROTOCOLS);
  const ofProgram = (message: string): Problem =>
    blame(message, { texts: programOptions(config, commandLine), originOf: () => 'global' }, []).problem;
  const services = context.ok ? await buildServices(config, commandLine, context.value, isServed) : fail([]);
  const problems: readonly Problem[] = [
    ...config.problems,
    ...(program.ok ? [] : program.error),
    ...(program.ok && !context.ok ? [ofProgram(context.error)] : []),
    ...(services.ok ? [] : services.error),
  ];
  if (program.ok && services.ok && problems.length === 0)
    return ok({ file, config, program: program.value, services: services.value });
  if (services.ok) for (const one of services.value.flatMap((built) => built.services)) one.release?.();
  return fail(inOrder(problems, places).map((problem) => mistakeOf(file, problem, places, config.hidden)));
}

function mistakeOf(file: string, { path: at, message }: Problem, places: Places, hidden: ReadonlySet<string>): Mistake {
  // A reader of options shows what was given.
  const safe = [...hidden].reduce((text, secret) => text.replaceAll(`'${secret}'`, '(hidden)'), message);
  return { file, ...places.of(at), key: pathText(at), message: safe };
}

/** That of the file, where it has places. */
function inOrder(problems: readonly Problem[], places: Places): readonly Problem[] {
  const rank = ({ path: at }: Problem): number => {
    const place = places.of(at);
    return place === undefined ? 0 : place.line * 1e6 + place.column;
  };
  return [...problems].sort((one, other) => rank(one) - rank(other));
}
