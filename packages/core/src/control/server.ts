// The control socket of a running supervisor: a protocol of our own core, on a unix path that only its owner may open.

import { createServer } from '../create-server.ts';
import { WellknownError } from '../errors.ts';
import { identityOf } from '../listener/listener.ts';
import { warningsTo, type Logger } from '../log.ts';
import type { ConnectionFilter } from '../observe/open-connections.ts';
import { defineProtocol, type Protocol } from '../protocol.ts';
import type { Server } from '../server.ts';
import { parseControlRequest, type ConnectionsSummary, type ControlAnswer, type ControlRequest } from './protocol.ts';

const OWNER_ONLY = 0o600;
// For a client that takes its answer slowly, or does not go: the others end as soon as the path is gone.
const LAST_STEP_MS = 1_000;

async function obey(
  server: Server,
  request: Exclude<ControlRequest, { readonly command: 'connections' }>,
  log: Logger,
): Promise<unknown> {
  const { command, ...details } = request;
  const isOnlyAsking = command === 'status' || (command === 'log-level' && request.level === undefined);
  if (!isOnlyAsking) log.info({ command, ...details }, 'asked over the control socket');
  switch (request.command) {
    case 'status':
      return server.status();
    case 'reload':
      return server.reload();
    case 'upgrade':
      return { successor: await server.upgrade() };
    case 'scale':
      return { workers: await server.scale({ to: request.workers }) };
    case 'close':
      if (await server.closeConnection(request.connection, request.reset === true ? { graceMs: 0 } : {}))
        return { closed: request.connection };
      throw new WellknownError('WRONG_STATE', `there is no open connection ${request.connection}`, {
        fault: 'local',
        hint: "'connections' lists them",
      });
    case 'log-level':
      return { level: await server.logLevel(request.level) };
    case 'drain':
    case 'stop': {
      void server.close();
      const { state } = await server.status({ asksWorkers: false });
      return state === 'upgrading' ? 'draining once the upgrade has ended' : 'draining';
    }
  }
}

/** The lines of an answer. Those of a list come as they are taken. */
async function* answersTo(server: Server, request: ControlRequest, log: Logger): AsyncGenerator<ControlAnswer> {
  try {
    if (request.command === 'connections') yield* list(server, request);
    else yield { ok: true, value: await obey(server, request, log) };
  } catch (error) {
    yield { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function* list(server: Server, { service, remote }: ConnectionFilter): AsyncGenerator<ControlAnswer> {
  const unanswered: number[] = [];
  let count = 0;
  const which = { ...(service === undefined ? {} : { service }), ...(remote === undefined ? {} : { remote }) };
  for await (const { worker, connections, answered } of server.connections(which)) {
    count += connections.length;
    if (!answered) unanswered.push(worker);
    if (connections.length > 0) yield { ok: true, value: connections, more: true };
  }
  yield { ok: true, value: { connections: count, unanswered } satisfies ConnectionsSummary };
}

// Longer than any request, with every filter and name in it.
const MAX_REQUEST_BYTES = 4_096;

/** Answers the requests of one client after the other, until it drains: a connection is open for as long as the server runs. */
export const controlProtocol = (server: Server, log: Logger): Protocol =>
  defineProtocol({
    name: 'control',
    port: 0,
    async connection(peer) {
      const say = (answer: ControlAnswer): Promise<void> => peer.write(`${JSON.stringify(answer)}\n`);
      const next = (): Promise<string | undefined> =>
        peer.readLine({ maxLineBytes: MAX_REQUEST_BYTES, signal: peer.drainSignal }).catch(noMore);
      const noMore = async (error: unknown): Promise<undefined> => {
        // The server is at its end: a client of `stop` takes the end of its connection for that.
        if (peer.draining) return;
        if (!(error instanceof WellknownError && error.code === 'LINE_TOO_LONG')) throw error;
        await say({ ok: false, error: `a request is at most ${MAX_REQUEST_BYTES} bytes` });
      };
      for (let line = await next(); line !== undefined; line = await next()) {
        const request = parseControlRequest(line);
        if (!request.ok) await say({ ok: false, error: request.error });
        else for await (const answer of answersTo(server, request.value, log)) await say(answer);
      }
    },
  });

export interface ControlSocket {
  /**
   * Resolves once the server has ended and the path is removed. A program that ends by `process.exit` waits for it, or it
   * leaves the path behind.
   */
  readonly closed: Promise<void>;
  /** Whether who opens the path comes to this process: not where a successor has taken it, or somebody has removed it. */
  isAtItsPath(): boolean;
}

export interface ControlSocketOptions {
  /** Takes the path over from a predecessor that still listens there. */
  readonly replace?: boolean;
  /** Asked at the end: true leaves the path to the successor that has it or will have it. */
  readonly hasSuccessor?: () => boolean;
}

/** Opens the control socket (mode 0600) of `server` and closes it with it. Rejects when the path can't be bound. */
export async function openControlSocket(
  path: string,
  server: Server,
  log: Logger,
  { replace = false, hasSuccessor = () => false }: ControlSocketOptions = {},
): Promise<ControlSocket> {
  const control = createServer(
    { protocol: controlProtocol(server, log), listen: `unix:${path}` },
    {
      // Its own end is no news: who asked for the end of the server is connected then.
      log: warningsTo(log),
      unixMode: OWNER_ONLY,
      replaceUnixPath: replace,
      keepUnixPath: hasSuccessor,
      limits: { idleTimeoutMs: 0 },
    },
  );
  await control.listen();
  const identity = identityOf(path);
  return {
    isAtItsPath: () => identityOf(path) === identity,
    closed: server.ended.catch(() => undefined).then(() => control.close({ graceMs: LAST_STEP_MS })),
  };
}
