// `wellknown up` with a configuration: the primary reads the file, its workers serve what it has read.

import path from 'node:path';
import { fail, ok, WellknownError, type Logger, type Protocol, type Result, type Service } from '@wellknown/core';
import {
  endEarlyWorkers,
  logOf,
  readIdentity,
  startWorkersEarly,
  usageError,
  type BuildContext,
  type CommonValues,
  type ProgramLog,
} from '@wellknown/core/cli';
import type { BuiltService } from './config/build-services.ts';
import { programOptions, sharedOptions } from './config/effective-options.ts';
import { loadConfig, type LoadedConfig, type Mistake } from './config/load-config.ts';
import { mistakesText, mistakeText } from './config/mistakes.ts';
import { keptByReload, takenByReload } from './config/on-reload.ts';
import type { ConfigTexts, OptionTexts } from './config/option-texts.ts';
import { pathText, type Problem } from './config/places.ts';
import { readProgram } from './config/read-program.ts';
import { PINO } from './program-pino.ts';
import { FILE_VARIABLE, serveUp, UP_PROGRAM, type UpData } from './serve-up.ts';

/** Until told to stop; a reload reads the file again. */
export async function serveConfig(file: string, commandLine: OptionTexts): Promise<void> {
  // One for all reloads: another one would open standard error once more.
  let programLog: ProgramLog | undefined;
  const logFor = (program: CommonValues): ProgramLog => (programLog ??= logOf(program, PINO));
  const load = (
    isServed?: (name: string, revision: string) => boolean,
    prepare: (program: CommonValues, context: BuildContext) => void = () => undefined,
  ): ReturnType<typeof loadConfig> => {
    const contextOf = (program: CommonValues): Result<BuildContext, string> => {
      const context = contextFor(program, isServedAtOnce(program), logFor(program));
      if (context.ok) prepare(program, context.value);
      return context;
    };
    return loadConfig(file, commandLine, process.env, contextOf, isServed);
  };
  const loaded = await load(undefined, (program, { runAs }) => startWorkersEarly(program, runAs));
  if (!loaded.ok) {
    endEarlyWorkers();
    process.exitCode = 2;
    process.stderr.write(mistakesText(UP_PROGRAM, loaded.error));
    return;
  }
  let present = loaded.value;
  const first = programOptions(present.config, commandLine);
  process.env[FILE_VARIABLE] = path.resolve(file);
  const { log } = logFor(present.program);
  log.info({ file }, 'serving what the configuration says');
  // Without workers, code of the user's is loaded once the rights to bind ports are gone.
  const loadProtocols =
    present.program.workers === 0 && present.program.runAs !== undefined
      ? () => protocolsOf(loaded.value.config, commandLine, present.program, logFor(present.program))
      : undefined;
  await serveUp(
    allOf(present.services),
    present.program,
    log,
    dataOf(present, first, first),
    loadProtocols,
    async () => {
      const served = new Set(allOf(present.services).map(({ name, revision }) => `${name} ${revision}`));
      const next = await load((name, revision) => served.has(`${name} ${revision}`));
      if (!next.ok) throw notReloaded(file, next.error);
      const { program, services } = next.value;
      if (program.workers === 0)
        throw new WellknownError('RELOAD_FAILED', 'workers: 0 is for a new start, what was before goes on', {
          fault: 'local',
        });
      const asked = programOptions(next.value.config, commandLine);
      const kept = keptByReload(first, asked);
      warnOfKept(log, kept);
      log.info({ file, ...changesOf(allOf(present.services), allOf(services)) }, 'the configuration was read again');
      return {
        services: allOf(services),
        workerData: dataOf(next.value, first, asked),
        kept,
        succeeded: () => (present = next.value),
        settings: {
          supervision: program.supervision,
          ...(program.drainTimeoutMs === undefined ? {} : { drainTimeoutMs: program.drainTimeoutMs }),
          // A level that was set at run time stays, and so does a number of workers.
          ...(program.logLevel === present.program.logLevel ? {} : { logLevel: program.logLevel }),
        },
        ...(program.workers === present.program.workers ? {} : { workers: program.workers }),
      };
    },
  );
}

/** Without workers, and with no rights to give up first: otherwise this process only describes what is served. */
const isServedAtOnce = ({ workers, runAs }: CommonValues): boolean => workers === 0 && runAs === undefined;

/** The servers are loaded here, which a primary does once its workers load them too. */
async function built(
  config: ConfigTexts,
  commandLine: OptionTexts,
  context: Result<BuildContext, string>,
): Promise<Result<readonly BuiltService[], readonly Problem[]>> {
  if (!context.ok) return fail([]);
  const { buildServices } = await import('./config/build-services.ts');
  return buildServices(config, commandLine, context.value);
}

/** What was described, built by who serves it. */
async function protocolsOf(
  config: ConfigTexts,
  commandLine: OptionTexts,
  program: CommonValues,
  programLog: ProgramLog,
): Promise<readonly Protocol[]> {
  const context = contextFor(program, true, programLog);
  const services = await built(config, commandLine, context);
  if (!services.ok) throw new WellknownError('OPTION_INVALID', problemsText(services.error), { fault: 'local' });
  return allOf(services.value).map(({ protocol }) => protocol);
}

/** `program` is what workers go by. What was `asked` for is compared with it alone: no worker reads it. */
const dataOf = ({ config }: LoadedConfig, first: OptionTexts, asked: OptionTexts): UpData => ({
  config: { program: { ...sharedOptions(config), ...takenByReload(first, asked) }, services: config.services },
  asked,
});

function notReloaded(file: string, mistakes: readonly Mistake[]): WellknownError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new WellknownError('RELOAD_FAILED', `${file} has ${count}, what was before goes on`, {
    fault: 'local',
    hint: mistakes.map(mistakeText).join('; '),
  });
}

/** The names of services that a reload touches. */
function changesOf(
  before: readonly Service[],
  after: readonly Service[],
): Readonly<Record<'added' | 'changed' | 'removed', readonly string[]>> {
  const find = (services: readonly Service[], { name }: Service): Service | undefined =>
    services.find((one) => one.name === name);
  const names = (services: readonly Service[]): readonly string[] => services.flatMap(({ name }) => name ?? []);
  return {
    added: names(after.filter((one) => find(before, one) === undefined)),
    changed: names(after.filter((one) => ![undefined, one.revision].includes(find(before, one)?.revision))),
    removed: names(before.filter((one) => find(after, one) === undefined)),
  };
}

function warnOfKept(log: Logger, kept: readonly string[]): void {
  if (kept.length > 0)
    log.warn(
      { kept },
      `a reload does not change ${kept.join(', ')}: that takes an upgrade ('wellknown upgrade', USR2) or a new start`,
    );
}

/** What the primary has read: a worker that starts later serves the same, whatever the file says by then. */
export async function serveAsWorker(config: ConfigTexts, commandLine: OptionTexts): Promise<void> {
  const program = await readProgram(config, commandLine);
  if (!program.ok) {
    failed(program.error);
    return;
  }
  const programLog = logOf(program.value, PINO);
  const context = contextFor(program.value, true, programLog);
  const services = await built(config, commandLine, context);
  if (services.ok) await serveUp(allOf(services.value), program.value, programLog.log, { config });
  else failed(services.error);
}

const allOf = (services: readonly BuiltService[]): readonly Service[] => services.flatMap((one) => one.services);

/** The primary had found nothing wrong: a handler can't be loaded, or a file has changed since. */
function failed(problems: readonly Problem[]): void {
  usageError(UP_PROGRAM, problemsText(problems));
}

const problemsText = (problems: readonly Problem[]): string =>
  problems.length === 0
    ? 'the user of --run-as is gone'
    : problems.map(({ path, message }) => `${pathText(path)}: ${message}`).join('; ');

function contextFor(
  program: CommonValues,
  isServing: boolean,
  { log, output }: ProgramLog,
): Result<BuildContext, string> {
  const identity = readIdentity(program);
  return identity.ok
    ? ok({
        log,
        errorOutput: output.write,
        portOffset: program.portOffset,
        runAs: identity.value,
        isServing,
      })
    : identity;
}
