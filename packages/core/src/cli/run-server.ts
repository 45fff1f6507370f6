// Runs a server that is made as a program: signals, lines on stdout, control socket, pid file, exit status.

import { formatEndpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { INHERIT_VARIABLE } from '../listener/inheritance.ts';
import type { Logger } from '../log.ts';
import { withVerbs, type Server } from '../server.ts';
import { stopOnSignals } from '../stop-on-signals.ts';
import { endEarlyWorkers } from '../supervisor/early-workers.ts';
import { createSdNotifier, reloadingAssignments, type SdNotifier } from '../supervisor/sd-notify.ts';
import { isOurWorker } from '../supervisor/worker-place.ts';
import { systemClock } from '../time/system-clock.ts';
import { checkAdmin, openProgramAdmin } from './admin-listener.ts';
import { closeInspector, holdRequests, releaseStops, takeRequests } from './early-signals.ts';
import type { CommonValues } from './common-values.ts';
import { ProgramFiles } from './program-files.ts';
import { EXIT_FAILURE, EXIT_USAGE } from './program-start.ts';
import { startMessage } from './start-message.ts';

/** A predecessor's control socket is still open when its successor becomes ready. */
const isSuccessor = process.env[INHERIT_VARIABLE] !== undefined;

export interface RunExtras {
  /** What HUP does in a server without workers. */
  readonly reloadHere?: (() => void) | undefined;
  /** Where the control socket is opened without being asked for; another program's there is left alone. */
  readonly controlIfFree?: string;
}

/** Runs any server as a program: signals, lines on stdout, control socket, pid file, exit status. */
export async function runServer(
  program: string,
  make: () => Server,
  common: CommonValues,
  log: Logger,
  { reloadHere, controlIfFree }: RunExtras = {},
): Promise<void> {
  const notifier = createSdNotifier(isOurWorker() ? {} : process.env, systemClock, log);
  const files = new ProgramFiles({ pidFile: common.pidFile, control: common.control, controlIfFree, isSuccessor, log });
  let server: Server | undefined;
  let wasAsked = (): boolean => false;
  try {
    if (!isOurWorker()) {
      holdRequests();
      await files.check();
      checkAdmin(common, process.env);
    }
    server = announced(make(), notifier, files, reloadHere);
    if (server.role !== 'worker') wasAsked = obeyStops(server, log);
    releaseStops();
    const endpoints = await server.listen();
    if (server.role === 'worker') {
      closeInspector();
      return;
    }
    await files.write(server);
    const admin = await openProgramAdmin(server, common, log, isSuccessor);
    // Before anybody can know that it is ready.
    obeyRequests(server, log);
    for (const { service, url } of endpoints) process.stdout.write(`listening ${service} ${url}\n`);
    if (admin !== undefined) process.stdout.write(`listening admin ${formatEndpoint(admin.endpoint)}\n`);
    process.stdout.write('ready\n');
    notifier.notify('READY=1', `MAINPID=${process.pid}`);
    await server.ended;
    await notifier.close();
    await files.removed();
    // A handler's module may still hold timers or sockets of its own; a drained program is done nevertheless.
    setImmediate(() => process.exit());
  } catch (error) {
    // What was started by then must not live on without what was asked for.
    endEarlyWorkers();
    await server?.close({ graceMs: 0 }).catch(() => undefined);
    await notifier.close();
    await files.removed();
    // Told to stop before it was ready: it did.
    if (wasAsked() && error instanceof WellknownError && error.code === 'WRONG_STATE') return;
    process.stderr.write(`${program}: ${startMessage(error)}\n`);
    process.exitCode =
      error instanceof WellknownError && (error.code === 'ENDPOINT_INVALID' || error.code === 'OPTION_INVALID')
        ? EXIT_USAGE
        : EXIT_FAILURE;
  }
}

/**
 * The same server, which tells the service manager what it is doing, whether a signal asked for it or the control
 * socket.
 */
function announced(
  server: Server,
  notifier: SdNotifier,
  files: ProgramFiles,
  reloadHere: (() => void) | undefined,
): Server {
  let isStopping = false;
  return withVerbs(server, {
    async reload() {
      notifier.notify(...reloadingAssignments());
      await files.putBack();
      try {
        // One process alone can't be replaced, but its certificates can.
        if (server.role !== 'standalone' || reloadHere === undefined) return await server.reload();
        reloadHere();
        return { kept: ['code'] };
      } finally {
        notifier.notify('READY=1');
      }
    },
    async upgrade() {
      await files.written();
      const successor = await server.upgrade();
      await files.handedOver();
      return successor;
    },
    close(options) {
      if (!isStopping) notifier.notify('STOPPING=1');
      isStopping = true;
      return server.close(options);
    },
  });
}

/** Signals that end the program, by the contract of the command line. Tells whether it was asked to stop. */
function obeyStops(server: Server, log: Logger): () => boolean {
  const stopping = stopOnSignals(server, (signal, isAtOnce) => {
    if (isAtOnce) log.warn({ signal }, 'asked again, ending at once');
    else log.info({ signal }, 'draining');
  });
  return () => stopping.wasAsked;
}

/** The other signals: what came while the server started is done now. */
function obeyRequests(server: Server, log: Logger): void {
  const attempt = (what: string, verb: () => unknown): void => {
    Promise.resolve()
      .then(verb)
      .catch((error: unknown) => {
        if (error instanceof WellknownError && error.code === 'WRONG_STATE') {
          log.warn({}, server.role === 'primary' ? `could not be ${what}: ${error.message}` : error.message);
          return;
        }
        // The supervisor has said why a reload, an upgrade or a start failed, since the control socket may ask for one too.
        if (server.role !== 'primary' || !(error instanceof WellknownError))
          log.error({ err: error }, `could not be ${what}`);
      });
  };
  takeRequests({
    SIGHUP: () => attempt('reloaded', () => server.reload()),
    SIGUSR2: () => attempt('upgraded', () => server.upgrade()),
    SIGTTIN: () => attempt('scaled', () => server.scale(1)),
    SIGTTOU: () => attempt('scaled', () => server.scale(-1)),
    SIGUSR1: () => log.info({}, 'logs are opened again'),
  });
}
