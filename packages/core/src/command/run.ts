// Runs a server command as a program: arguments in, listeners and `ready` on stdout, logs on stderr, signals, exit status.

import { readFileSync } from 'node:fs';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { createServer } from '../create-server.ts';
import { WellknownError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ServerOptions, Service } from '../options.ts';
import type { BoundEndpoint, Server } from '../server.ts';
import { isOurWorker } from '../worker.ts';
import { helpOfCommand } from './help.ts';
import { parseServerArguments, type CommonValues } from './parse.ts';
import type { ServerCommand } from './server-command.ts';
import { createStandardLog } from './standard-log.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Runs one protocol's server until it ends, then sets the exit status. `program` is how the user called it. */
export async function runCommand(command: ServerCommand, program = `wellknown-${command.name}`, argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const request = parseServerArguments(argv, command);
  if (!request.ok) {
    usageError(program, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    process.stdout.write(request.value.type === 'help' ? helpOfCommand(program, command) : `${program} ${version()}\n`);
    return;
  }
  const { common, values } = request.value;
  const log = logOf(common);
  const protocol = await command.build(values, { log, portOffset: common.portOffset });
  if (!protocol.ok) {
    usageError(program, protocol.error);
    return;
  }
  const listen = common.listen.length > 0 ? common.listen.map(({ text }) => text) : [defaultEndpoint(command.defaultScheme, protocol.value.port, common.portOffset)];
  await runServices(program, [{ protocol: protocol.value, listen }], common, log);
}

/** The well-known port on this machine's own address: reaching the network is a decision, made with --listen. */
export const defaultEndpoint = (scheme: 'tcp' | 'udp', port: number, portOffset: number): string => `${scheme}://127.0.0.1:${port + portOffset}`;

/** The log that the common options ask for. */
export const logOf = (common: CommonValues): Logger => createStandardLog(common.logLevel, common.logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json'));

/** Says what is wrong with the command line, and sets exit status 2. In a worker the primary has said it already. */
export function usageError(program: string, problem: string): void {
  if (!isOurWorker()) process.stderr.write(`${program}: ${problem}\n`);
  process.exitCode = EXIT_USAGE;
}

/** Serves until told to stop. */
export async function runServices(program: string, services: readonly Service[], common: CommonValues, log: Logger, whenReady?: (endpoints: readonly BoundEndpoint[]) => void): Promise<void> {
  let server: Server;
  try {
    server = createServer(services, serverOptions(common, log));
    if (server.role !== 'worker') obeySignals(server, log);
    const endpoints = await server.listen();
    whenReady?.(endpoints);
    if (server.role === 'worker') return;
    if (common.pidFile !== undefined) await writePidFile(common.pidFile);
    for (const { service, url } of endpoints) process.stdout.write(`listening ${service} ${url}\n`);
    process.stdout.write('ready\n');
    await server.ended;
    if (common.pidFile !== undefined) await unlink(common.pidFile).catch(() => undefined);
  } catch (error) {
    process.stderr.write(`${program}: ${error instanceof WellknownError ? error.message : describe(error)}\n`);
    process.exitCode = error instanceof WellknownError && error.code === 'ENDPOINT_INVALID' ? EXIT_USAGE : EXIT_FAILURE;
  }
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

function serverOptions(common: CommonValues, log: Logger): ServerOptions {
  const { maxConnections, maxConnectionsPerAddress, idleTimeoutMs, drainTimeoutMs, workers } = common;
  return {
    workers,
    log,
    limits: {
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    },
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
  };
}

/** Signals to the program, by the contract of the command line. */
function obeySignals(server: Server, log: Logger): void {
  let asked = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (asked && signal !== 'SIGTERM') {
      log.warn({ signal }, 'asked again, ending at once');
      void server.close({ graceMs: 0 });
      return;
    }
    asked = true;
    log.info({ signal }, 'draining');
    void server.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => stop(signal));
  // Without a listener HUP would end the program, USR2 too, and USR1 would open the debugger's port.
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => log.warn({ signal }, 'this version does nothing on this signal'));
  }
  const scale = (by: number): void => {
    if (server.role === 'primary') server.scale(by);
    else log.warn({}, 'a server without workers cannot be scaled');
  };
  process.on('SIGTTIN', () => scale(1));
  process.on('SIGTTOU', () => scale(-1));
}

/** By rename, so that nobody reads half of it, and only once everything accepts. */
async function writePidFile(path: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${process.pid}\n`);
  await rename(temporary, path);
}

/** The version in this package's package.json; all packages are released together. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
