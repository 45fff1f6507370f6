// `wellknown up`: the services of a configuration under one supervisor, or without one all servers with safe defaults.

import path from 'node:path';
import { pino } from 'pino';
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
  endOnStop,
  isOurWorker,
  isSuccessor,
  logOf,
  parseServerArguments,
  readIdentity,
  runServices,
  usageError,
  type BuildContext,
  type CommonValues,
  type Help,
  type OptionValues,
  type ServerCommand,
} from '@wellknown/core/cli';
import { buildServices, readProgram, type BuiltService } from './config/build-services.ts';
import { findConfigFile } from './config/config-file.ts';
import { loadConfig, type LoadedConfig, type Mistake } from './config/load-config.ts';
import { mistakesText, mistakeText } from './config/mistakes.ts';
import type { ConfigTexts, OptionTexts } from './config/option-texts.ts';
import { pathText, type Problem } from './config/places.ts';
import { CONFIG_OPTION } from './shared-options.ts';
import { upServices } from './up-services.ts';

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
  await serve(upServices(common.portOffset, systemClock.wallMs(), common.idleTimeoutMs), common, {});
}

async function serveConfig(file: string, commandLine: OptionTexts): Promise<void> {
  const load = (isServed?: (name: string, revision: string) => boolean): ReturnType<typeof loadConfig> =>
    loadConfig(file, commandLine, process.env, contextBeforeServing, isServed);
  const loaded = await load();
  if (!loaded.ok) {
    process.exitCode = 2;
    process.stderr.write(mistakesText(PROGRAM, loaded.error));
    return;
  }
  let present = loaded.value;
  process.env[FILE_VARIABLE] = path.resolve(file);
  const { log } = logOf(present.program, pino);
  log.info({ file }, 'serving what the configuration says');
  // Without workers, code of the user's is loaded once the rights to bind ports are gone.
  const loadProtocols =
    present.program.workers === 0 && present.program.runAs !== undefined
      ? () => protocolsOf(loaded.value.config, commandLine, present.program)
      : undefined;
  await serve(allOf(present.services), present.program, dataOf(present), loadProtocols, async () => {
    const served = new Set(allOf(present.services).map(({ name, revision }) => `${name} ${revision}`));
    const next = await load((name, revision) => served.has(`${name} ${revision}`));
    if (!next.ok) throw notReloaded(file, next.error);
    if (next.value.program.workers === 0)
      throw new WellknownError('RELOAD_FAILED', 'workers: 0 is for a new start, what was before goes on', {
        fault: 'local',
      });
    warnOfFixed(log, present.program, next.value.program);
    log.info(
      { file, ...changesOf(allOf(present.services), allOf(next.value.services)) },
      'the configuration was read again',
    );
    const { workers } = next.value.program;
    const isOther = workers !== present.program.workers;
    present = next.value;
    return { services: allOf(present.services), workerData: dataOf(present), ...(isOther ? { workers } : {}) };
  });
}

/** As whom nobody is served yet: without workers, and where rights are given up first, all is only described. */
const contextBeforeServing = (program: CommonValues): Result<BuildContext, string> =>
  contextFor(program, program.workers === 0 && program.runAs === undefined);

/** What was described, built by who serves it. */
async function protocolsOf(
  config: ConfigTexts,
  commandLine: OptionTexts,
  program: CommonValues,
): Promise<readonly Protocol[]> {
  const context = contextFor(program, true);
  const services = context.ok ? await buildServices(config, commandLine, context.value) : fail([]);
  if (!services.ok) throw new WellknownError('OPTION_INVALID', problemsText(services.error), { fault: 'local' });
  return allOf(services.value).map(({ protocol }) => protocol);
}

const dataOf = ({ config: { program, services } }: LoadedConfig): UpData => ({ config: { program, services } });

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

// What the supervisor itself is made with.
const FIXED = [
  'accept',
  'dispatch',
  'runAs',
  'control',
  'admin',
  'pidFile',
  'portOffset',
  'logLevel',
  'logFormat',
] as const;

/** A reload is for the services: the supervisor stays as it began. */
function warnOfFixed(log: Logger, before: CommonValues, after: CommonValues): void {
  const changed = FIXED.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (changed.length > 0)
    log.warn(
      { changed },
      'the supervisor itself takes these changes with an upgrade (USR2) or a start, not with a reload',
    );
}

/** What the primary has read: a worker that starts later serves the same, whatever the file says by then. */
async function serveAsWorker(config: ConfigTexts, commandLine: OptionTexts): Promise<void> {
  const program = await readProgram(config, commandLine);
  if (!program.ok) {
    failed(program.error);
    return;
  }
  const context = contextFor(program.value, true);
  const services = context.ok ? await buildServices(config, commandLine, context.value) : fail([]);
  if (services.ok) await serve(allOf(services.value), program.value, { config });
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

function contextFor(program: CommonValues, isServing: boolean): Result<BuildContext, string> {
  const { log, output } = logOf(program, pino);
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
  workerData: UpData,
  loadProtocols?: () => Promise<readonly Protocol[]>,
  nextServices?: () => Promise<NextServices>,
): Promise<void> {
  return runServices(PROGRAM, services, common, logOf(common, pino).log, {
    controlIfFree: defaultControlPath(process.env, process.getuid?.() ?? 0),
    defaults: {
      workerData,
      ...(loadProtocols === undefined ? {} : { loadProtocols }),
      ...(nextServices === undefined ? {} : { nextServices }),
    },
    limits: () => import('@wellknown/redis-limits'),
  });
}
