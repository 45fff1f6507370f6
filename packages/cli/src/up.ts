// `wellknown up`: the services of a configuration under one supervisor, or without one all servers with safe defaults.

import path from 'node:path';
import {
  fail,
  ok,
  readWorkerData,
  systemClock,
  WellknownError,
  type Logger,
  type NextServices,
  type Protocol,
  type Result,
  type Service,
} from '@wellknown/core';
import { defaultControlPath } from '@wellknown/core/control';
import {
  answer,
  COMMON_OPTIONS,
  describeCommand,
  endEarlyWorkers,
  endOnStop,
  isOurWorker,
  isSuccessor,
  logOf,
  parseServerArguments,
  readIdentity,
  runServices,
  startWorkersEarly,
  usageError,
  type BuildContext,
  type CommonValues,
  type Help,
  type OptionValues,
  type ProgramLog,
  type ServerCommand,
} from '@wellknown/core/cli';
import { buildServices, readProgram, type BuiltService } from './config/build-services.ts';
import { programOptions, sharedOptions } from './config/effective-options.ts';
import { findConfigFile } from './config/config-file.ts';
import { loadConfig, type LoadedConfig, type Mistake } from './config/load-config.ts';
import { mistakesText, mistakeText } from './config/mistakes.ts';
import type { ConfigTexts, OptionTexts } from './config/option-texts.ts';
import { keptByReload, takenByReload } from './config/on-reload.ts';
import { pathText, type Problem } from './config/places.ts';
import { PINO } from './program-pino.ts';
import { CONFIG_OPTION } from './shared-options.ts';

const PROGRAM = 'wellknown up';

/** What it takes: the options of every server but those that only make sense for one. */
export const UP_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes' | 'without' | 'examples'> = {
  summary:
    'the services of a configuration under one supervisor; without one http, ftp, telnet and echo, with safe defaults',
  examples: [
    { line: '--port-offset 8000', does: 'Start four servers, on this machine only: ports 8080, 8021, 8023 and 8007' },
    { line: '--config wellknown.config.yaml', does: "Start what a configuration says ('wellknown init' writes one)" },
    { line: '--workers 2 --log-level warn', does: 'Options go before what the configuration says' },
  ],
  options: [CONFIG_OPTION],
  schemes: [],
  without: {
    listen: 'is for one server alone; here, --port-offset moves all of them, and a configuration says it for each',
    inetd: 'is for one server alone, which has the one connection',
  },
};

/** Which file is served, for the process that takes over at an upgrade. */
const FILE_VARIABLE = 'WELLKNOWN_CONFIG_FILE';

export const describeUp = (): Help => describeCommand(PROGRAM, UP_COMMAND);

/** What a supervisor gives its workers: the configuration as it was read, or nothing where there is none. */
interface UpData {
  readonly config?: ConfigTexts;
  readonly asked?: OptionTexts;
}

/** Runs the command until its servers end, and sets the exit status. */
export async function runUp(argv: readonly string[]): Promise<void> {
  endOnStop();
  const request = parseServerArguments(argv, UP_COMMAND);
  if (!request.ok) {
    usageError(PROGRAM, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    answer(request.value.type, describeUp());
    return;
  }
  const { common, values } = request.value;
  const commandLine = textsOf(values);
  if (isOurWorker()) {
    // Its primary answers once it has bound what they serve on.
    const { config } = (await readWorkerData()) as UpData;
    if (config === undefined) await serveDefaults(common);
    else await serveAsWorker(config, commandLine);
    return;
  }
  // A successor serves the file of its predecessor, also where another one, or none, would be found by now.
  const given = values.text('config') ?? (isSuccessor(process.env) ? process.env[FILE_VARIABLE] : undefined);
  const found = given === undefined ? await findConfigFile() : ok(given);
  if (!found.ok) usageError(PROGRAM, found.error);
  else if (found.value === undefined) {
    Reflect.deleteProperty(process.env, FILE_VARIABLE);
    await serveDefaults(common);
  } else await serveConfig(found.value, commandLine);
}

/** The options of the command line that a configuration may say too. */
const textsOf = (values: OptionValues): OptionTexts =>
  Object.fromEntries(
    COMMON_OPTIONS.filter(({ name }) => values.has(name)).map(({ name }) => [name, values.list(name)]),
  );

async function serveDefaults(common: CommonValues): Promise<void> {
  const identity = readIdentity(common);
  if (identity.ok) startWorkersEarly(common, identity.value);
  const { upServices } = await import('./up-services.ts');
  const { log } = logOf(common, PINO);
  await serve(upServices(common.portOffset, systemClock.wallMs(), common.idleTimeoutMs), common, log, {});
}

async function serveConfig(file: string, commandLine: OptionTexts): Promise<void> {
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
    process.stderr.write(mistakesText(PROGRAM, loaded.error));
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
  await serve(allOf(present.services), present.program, log, dataOf(present, first, first), loadProtocols, async () => {
    const served = new Set(allOf(present.services).map(({ name, revision }) => `${name} ${revision}`));
    const next = await load((name, revision) => served.has(`${name} ${revision}`));
    if (!next.ok) throw notReloaded(file, next.error);
    const { program, services } = next.value;
    if (program.workers === 0)
      throw new WellknownError('RELOAD_FAILED', 'workers: 0 is for a new start, what was before goes on', {
        fault: 'local',
      });
    const asked = programOptions(next.value.config, commandLine);
    warnOfKept(log, keptByReload(first, asked));
    log.info({ file, ...changesOf(allOf(present.services), allOf(services)) }, 'the configuration was read again');
    return {
      services: allOf(services),
      workerData: dataOf(next.value, first, asked),
      succeeded: () => (present = next.value),
      settings: {
        supervision: program.supervision,
        ...(program.drainTimeoutMs === undefined ? {} : { drainTimeoutMs: program.drainTimeoutMs }),
        // A level that was set at run time stays, and so does a number of workers.
        ...(program.logLevel === present.program.logLevel ? {} : { logLevel: program.logLevel }),
      },
      ...(program.workers === present.program.workers ? {} : { workers: program.workers }),
    };
  });
}

/** Without workers, and with no rights to give up first: otherwise this process only describes what is served. */
const isServedAtOnce = ({ workers, runAs }: CommonValues): boolean => workers === 0 && runAs === undefined;

/** What was described, built by who serves it. */
async function protocolsOf(
  config: ConfigTexts,
  commandLine: OptionTexts,
  program: CommonValues,
  programLog: ProgramLog,
): Promise<readonly Protocol[]> {
  const context = contextFor(program, true, programLog);
  const services = context.ok ? await buildServices(config, commandLine, context.value) : fail([]);
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
async function serveAsWorker(config: ConfigTexts, commandLine: OptionTexts): Promise<void> {
  const program = await readProgram(config, commandLine);
  if (!program.ok) {
    failed(program.error);
    return;
  }
  const programLog = logOf(program.value, PINO);
  const context = contextFor(program.value, true, programLog);
  const services = context.ok ? await buildServices(config, commandLine, context.value) : fail([]);
  if (services.ok) await serve(allOf(services.value), program.value, programLog.log, { config });
  else failed(services.error);
}

const allOf = (services: readonly BuiltService[]): readonly Service[] => services.flatMap((one) => one.services);

/** The primary had found nothing wrong: a handler can't be loaded, or a file has changed since. */
function failed(problems: readonly Problem[]): void {
  usageError(PROGRAM, problemsText(problems));
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

function serve(
  services: readonly Service[],
  common: CommonValues,
  log: Logger,
  workerData: UpData,
  loadProtocols?: () => Promise<readonly Protocol[]>,
  nextServices?: () => Promise<NextServices>,
): Promise<void> {
  return runServices(PROGRAM, services, common, log, {
    controlIfFree: defaultControlPath(process.env, process.getuid?.() ?? 0),
    defaults: {
      workerData,
      ...(loadProtocols === undefined ? {} : { loadProtocols }),
      ...(nextServices === undefined ? {} : { nextServices }),
    },
    limits: () => import('@wellknown/redis-limits'),
  });
}
