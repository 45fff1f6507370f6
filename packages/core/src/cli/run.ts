// Runs a server command as a program: arguments in, listeners and `ready` on stdout, logs on stderr, signals, exit
// status.

import { createServer } from '../create-server.ts';
import { WellknownError } from '../errors.ts';
import { namesFromSystemd } from '../listener/inherited-descriptors.ts';
import { warningsTo, type Logger } from '../log.ts';
import type { Identity, ServerOptions, Service } from '../options.ts';
import { fail, ok } from '../result.ts';
import { endEarlyWorkers } from '../supervisor/early-workers.ts';
import { becomeIdentity } from '../supervisor/privileges.ts';
import type { Server } from '../server.ts';
import { systemClock } from '../time/system-clock.ts';
import { isOurWorker } from '../supervisor/worker-place.ts';
import { readWorkerData } from '../supervisor/worker-data.ts';
import { reportStartFailure } from '../supervisor/worker.ts';
import { endOnStop, releaseSignals } from './early-signals.ts';
import { companionServices } from './extra-services.ts';
import { describeCommand } from './help.ts';
import type { CommonValues } from './common-values.ts';
import { loadLimitsExchange, type LimitsLoader } from './limits-option.ts';
import { parseServerArguments } from './parse.ts';
import { answer, EXIT_FAILURE, readIdentity, startWorkersEarly, usageError } from './program-start.ts';
import { limitsOf } from './limits-of.ts';
import { loadTlsContext, reloadTlsContext } from './tls-files.ts';
import type { TlsContext } from '../connection/tls-context.ts';
import type { Protocol } from '../protocol.ts';
import { openInetdConnection, type InetdConnection } from '../inetd/inetd-connection.ts';
import { runServer, type RunExtras } from './run-server.ts';
import type { ServerCommand } from './server-command.ts';
import { surviveClosedOutput } from './line-output.ts';
import { createProgramLog, type PinoSource, type ProgramLog } from './program-log.ts';
import { describe, startMessage } from './start-message.ts';

/** What a program brings along that core has not, loaded when it is asked for. */
export interface ProgramLibraries {
  /** `() => import('@wellknown/redis-limits')`, for --limits; without it that is looked for beside the program. */
  readonly limits?: LimitsLoader | undefined;
}

/**
 * Runs one protocol's server until it ends, then sets the exit status. `pino` is the library that its log is made with,
 * as it comes, or how it is loaded. `program` is how the user called it.
 */
export async function runCommand(
  command: ServerCommand,
  pino: PinoSource,
  program = `wellknown-${command.name}`,
  argv: readonly string[] = process.argv.slice(2),
  { limits }: ProgramLibraries = {},
): Promise<void> {
  surviveClosedOutput();
  endOnStop();
  const request = parseServerArguments(argv, command);
  if (!request.ok) {
    usageError(program, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    answer(request.value.type, describeCommand(program, command));
    return;
  }
  const { common, values } = request.value;
  const { log, output } = logOf(common, pino);
  const identity = readIdentity(common);
  if (!identity.ok) {
    usageError(program, identity.error);
    return;
  }
  let connection: InetdConnection | undefined;
  if (common.inetd) {
    releaseSignals();
    connection = openStandardInput(program, common, identity.value);
    if (connection === undefined) return;
  }
  startWorkersEarly(common, identity.value);
  // Once its primary has read the same: it may have made files where its workers may not.
  if (isOurWorker()) await readWorkerData();
  const context = {
    log,
    errorOutput: output.write,
    portOffset: common.portOffset,
    runAs: identity.value,
  };
  // Without workers, code of the user's is loaded once the rights to bind ports are gone.
  const isLate = !isOurWorker() && !common.inetd && common.workers === 0 && identity.value !== undefined;
  const isServing = isOurWorker() || common.inetd || (common.workers === 0 && !isLate);
  const protocol = await Promise.resolve()
    .then(() => command.build(values, { ...context, isServing }))
    .catch((error: unknown) => {
      if (!isOurWorker()) {
        endEarlyWorkers();
        if (isWithoutFolder(error))
          return fail('the folder that it was started in is gone: change to one that is there');
        throw error;
      }
      // Of a worker that is started again and again its primary says it once; thrown, it would be printed each time.
      reportStartFailure(describe(error), false);
      return undefined;
    });
  if (protocol === undefined) return;
  if (!protocol.ok) {
    usageError(program, protocol.error);
    return;
  }
  if (connection !== undefined) {
    await serveStandardInput(program, connection, protocol.value, common, log);
    return;
  }
  const listen =
    common.listen.length > 0
      ? common.listen.map(({ text }) => text)
      : [
          defaultEndpoint(
            command.defaultSchemeOf?.(values) ?? command.defaultScheme,
            protocol.value.port,
            common.portOffset,
          ),
        ];
  const companions = command.companions?.(values) ?? ok([]);
  if (common.listen.length > 0 && common.portOffset > 0 && !(companions.ok && companions.value.length > 0))
    warnOnce(log, '--port-offset changes nothing: it is added to well-known ports, and --listen names its own');
  const services = companions.ok ? companionServices(companions.value, listen, common.portOffset) : companions;
  if (!services.ok) {
    usageError(program, services.error);
    return;
  }
  const loadProtocols = async (): Promise<readonly Protocol[]> => {
    const loaded = await command.build(values, { ...context, isServing: true });
    if (!loaded.ok) throw new WellknownError('OPTION_INVALID', loaded.error, { fault: 'local' });
    return [loaded.value, ...services.value.map((companion) => companion.protocol)];
  };
  await runServices(program, [{ protocol: protocol.value, listen }, ...services.value], common, log, {
    defaults: { ...command.serverOptions?.(values), ...(isLate ? { loadProtocols } : {}) },
    limits,
  });
}

const isWithoutFolder = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';

/**
 * The connection on standard input, once this process is who is to serve it, and if its peer may speak to it at all:
 * before a line of the user's code is loaded. Undefined where there is nothing to serve.
 */
function openStandardInput(
  program: string,
  { allow, deny }: CommonValues,
  identity: Identity | undefined,
): InetdConnection | undefined {
  try {
    if (identity !== undefined) becomeIdentity(identity);
    return openInetdConnection({ allow, deny });
  } catch (error) {
    process.stderr.write(`${program}: ${startMessage(error)}\n`);
    process.exitCode = EXIT_FAILURE;
    return undefined;
  }
}

/** Standard error may be the connection too, so nothing but failures is logged there. */
async function serveStandardInput(
  program: string,
  connection: InetdConnection,
  protocol: Protocol,
  common: CommonValues,
  log: Logger,
): Promise<void> {
  try {
    const quiet = warningsTo(log);
    const { limits, drainTimeoutMs } = serverOptions(common, quiet);
    await connection.serve(protocol, {
      log: quiet,
      ...(limits === undefined ? {} : { limits }),
      ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    });
  } catch (error) {
    process.stderr.write(`${program}: ${startMessage(error)}\n`);
    process.exitCode = EXIT_FAILURE;
  }
}

/** The well-known port on this machine's own address: reaching the network is a decision, made with --listen. */
export const defaultEndpoint = (scheme: 'tcp' | 'tls' | 'udp', port: number, portOffset: number): string =>
  `${scheme}://127.0.0.1:${port + portOffset}`;

/** The log that the common options ask for. */
export const logOf = (common: CommonValues, pino: PinoSource): ProgramLog =>
  createProgramLog(pino, common.logLevel, common.logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json'));

/** Serves until told to stop. */
export async function runServices(
  program: string,
  services: readonly Service[],
  common: CommonValues,
  log: Logger,
  { defaults = {}, limits, ...extras }: RunExtras & ProgramLibraries & { readonly defaults?: ServerOptions } = {},
): Promise<void> {
  const identity = readIdentity(common);
  if (!identity.ok) {
    usageError(program, identity.error);
    return;
  }
  warnOfUnused(services, log);
  const tls = common.tls === undefined ? ok(undefined) : loadTlsContext(common.tls, common.tlsClients);
  if (!tls.ok) {
    usageError(program, tls.error);
    return;
  }
  const limitsExchange = await loadLimitsExchange(common.limits, process.env, limits);
  if (!limitsExchange.ok) {
    usageError(program, limitsExchange.error);
    return;
  }
  const make = (): Server =>
    createServer(services, {
      ...serverOptions(common, log, defaults),
      ...(limitsExchange.value === undefined ? {} : { limitsExchange: limitsExchange.value }),
      ...(identity.value === undefined ? {} : { runAs: identity.value }),
      ...(tls.value === undefined ? {} : { tls: tls.value }),
    });
  await runServer(program, make, common, log, { ...extras, reloadHere: reloadCertificates(common, tls.value, log) });
}

/** Of what was given and has no effect; a worker is given the same as its primary. */
function warnOnce(log: Logger, message: string): void {
  if (!isOurWorker()) log.warn({}, message);
}

/** A socket unit whose service does not ask for its sockets: who connects there would wait for ever. */
function warnOfUnused(services: readonly Service[], log: Logger): void {
  const names = namesFromSystemd();
  const listened = services.flatMap(({ listen = [] }) => listen);
  if (names.length === 0 || listened.some((target) => typeof target === 'string' && /^(?:systemd|fd):/.test(target)))
    return;
  const wanted = [...new Set(names)].map((name) => `--listen systemd:${name}`).join(' ');
  warnOnce(log, `systemd has passed sockets that nothing serves: ask for them with ${wanted}`);
}

/** What the command sets, under what the user has given. */
function serverOptions(common: CommonValues, log: Logger, defaults: ServerOptions = {}): ServerOptions {
  const {
    supervision,
    backlog,
    maxUnsentBytesTotal,
    unixMode,
    allow,
    deny,
    proxyProtocol,
    drainTimeoutMs,
    workers,
    accept,
    dispatch,
  } = common;
  return {
    ...defaults,
    workers,
    log,
    allow,
    deny,
    proxyProtocol,
    supervision: { ...defaults.supervision, ...supervision },
    limits: { ...defaults.limits, ...limitsOf(common) },
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    ...(backlog === undefined ? {} : { backlog }),
    ...(maxUnsentBytesTotal === undefined ? {} : { maxUnsentBytesTotal }),
    ...(unixMode === undefined ? {} : { unixMode }),
    ...(accept === undefined ? {} : { accept }),
    ...(dispatch === undefined ? {} : { dispatch }),
  };
}

/**
 * Reads the certificates again, for new handshakes; throws where they are wrong, and the old ones stay. Undefined where
 * there are none.
 */
function reloadCertificates(
  { tls: files, tlsClients }: CommonValues,
  context: TlsContext | undefined,
  log: Logger,
): (() => void) | undefined {
  if (files === undefined || context === undefined) return undefined;
  return () => {
    const reloaded = reloadTlsContext(context, files, tlsClients);
    if (!reloaded.ok)
      throw new WellknownError('RELOAD_FAILED', `the old certificates stay: ${reloaded.error}`, { fault: 'local' });
    for (const problem of context.validityProblems(systemClock.wallMs()))
      log.warn({}, `${problem}: clients will refuse it`);
    log.info({}, 'the certificates were read again; the rest needs workers to be reloaded');
  };
}
