// `wellknown up`: the services of a configuration under one supervisor, or without one all servers with safe defaults.
// Until its workers are started a primary loads no more than it needs to know how many there are. They load the servers;
// it does so only to check what a configuration says of them.

import { ok, readWorkerData, systemClock } from '@wellknown/core';
import {
  answer,
  COMMON_OPTIONS,
  describeCommand,
  endEarlyWorkers,
  endOnStop,
  isOurWorker,
  isSuccessor,
  logOf,
  openProgramAccessLog,
  parseServerArguments,
  readIdentity,
  startWorkersEarly,
  usageError,
  type CommonValues,
  type Help,
  type OptionSpec,
  type OptionValues,
  type ServerCommand,
} from '@wellknown/core/cli';
import { findConfigFile } from './config/config-file.ts';
import type { OptionTexts } from './config/option-texts.ts';
import { PINO } from './program-pino.ts';
import { FILE_VARIABLE, serveUp, UP_PROGRAM, type UpData } from './serve-up.ts';
import { CONFIG_OPTION } from './shared-options.ts';

const ACCESS_LOG_OPTION: OptionSpec = {
  name: 'access-log',
  argument: 'FILE',
  help: 'a line for each request of http services and for each transfer of ftp services; - is stderr (default: what the configuration says of each)',
};

/** What it takes: the options of every server but those that only make sense for one. */
export const UP_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes' | 'without' | 'examples'> = {
  summary:
    'the services of a configuration under one supervisor; without one http, ftp, telnet and echo, with safe defaults',
  examples: [
    { line: '--port-offset 8000', does: 'Start four servers, on this machine only: ports 8080, 8021, 8023 and 8007' },
    { line: '--config wellknown.config.yaml', does: "Start what a configuration says ('wellknown init' writes one)" },
    { line: '--workers 2 --log-level warn', does: 'Options go before what the configuration says' },
  ],
  options: [CONFIG_OPTION, ACCESS_LOG_OPTION],
  schemes: [],
  without: {
    listen: 'is for one server alone; here, --port-offset moves all of them, and a configuration says it for each',
    inetd: 'is for one server alone, which has the one connection',
  },
};

export const describeUp = (): Help => describeCommand(UP_PROGRAM, UP_COMMAND);

/** Runs the command until its servers end, and sets the exit status. */
export async function runUp(argv: readonly string[]): Promise<void> {
  endOnStop();
  const request = parseServerArguments(argv, UP_COMMAND);
  if (!request.ok) {
    usageError(UP_PROGRAM, request.error);
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
    const [{ config }] = await Promise.all([readWorkerData() as Promise<UpData>, import('./server-commands.ts')]);
    if (config === undefined) await serveDefaults(common, values.text('access-log'));
    else await (await import('./up-config.ts')).serveAsWorker(config, commandLine);
    return;
  }
  // A successor serves the file of its predecessor, also where another one, or none, would be found by now.
  const given = values.text('config') ?? (isSuccessor(process.env) ? process.env[FILE_VARIABLE] : undefined);
  const found = given === undefined ? findConfigFile() : ok(given);
  if (!found.ok) usageError(UP_PROGRAM, found.error);
  else if (found.value === undefined) {
    Reflect.deleteProperty(process.env, FILE_VARIABLE);
    await serveDefaults(common, values.text('access-log'));
  } else await (await import('./up-config.ts')).serveConfig(found.value, commandLine);
}

/** The options of the command line that a configuration may say too. */
const textsOf = (values: OptionValues): OptionTexts =>
  Object.fromEntries(
    [...COMMON_OPTIONS, ACCESS_LOG_OPTION]
      .filter(({ name }) => values.has(name))
      .map(({ name }) => [name, values.list(name)]),
  );

async function serveDefaults(common: CommonValues, accessLogFile: string | undefined): Promise<void> {
  const identity = readIdentity(common);
  if (identity.ok) startWorkersEarly(common, identity.value);
  const { log, output } = logOf(common, PINO);
  const runAs = identity.ok ? identity.value : undefined;
  const accessLog = openProgramAccessLog(accessLogFile, { log, runAs, errorOutput: output.write });
  if (!accessLog.ok) {
    usageError(UP_PROGRAM, accessLog.error);
    endEarlyWorkers();
    return;
  }
  const { upServices } = await import('./up-services.ts');
  const { portOffset, idleTimeoutMs } = common;
  const isServing = isOurWorker() || common.workers === 0;
  const protocols = isServing
    ? (await import('./up-protocols.ts')).createUpProtocols(portOffset, systemClock.wallMs(), {
        idleTimeoutMs,
        writeAccess: accessLog.value,
      })
    : (await import('./up-descriptions.ts')).DESCRIBED_PROTOCOLS;
  await serveUp(upServices(protocols, portOffset), common, log, {});
}
