// The control socket of a running supervisor: a protocol of our own core, on a unix path that only its owner may open.

import { createServer } from '../create-server.ts';
import type { Logger } from '../log.ts';
import { defineProtocol, type Protocol } from '../protocol.ts';
import type { Server } from '../server.ts';
import { parseControlRequest, type ControlAnswer, type ControlRequest } from './protocol.ts';

const OWNER_ONLY = 0o600;
// Any but 0: it is cut short as soon as the path is gone.
const LAST_STEP_MS = 1_000;

async function obey(server: Server, request: ControlRequest, log: Logger): Promise<unknown> {
  if (request.command !== 'status') log.info({ command: request.command }, 'asked over the control socket');
  switch (request.command) {
    case 'status':
      return server.status();
    case 'reload':
      await server.reload();
      return 'reloaded';
    case 'upgrade':
      return { successor: await server.upgrade() };
    case 'scale':
      await server.scale({ to: request.workers });
      return { workers: request.workers };
    case 'drain':
    case 'stop':
      void server.close();
      return 'draining';
  }
}

/** Answers the requests of one client after the other; `stop` keeps the connection open until the process ends. */
export const controlProtocol = (server: Server, log: Logger): Protocol =>
  defineProtocol({
    name: 'control',
    port: 0,
    async connection(peer) {
      for (let line = await peer.readLine(); line !== undefined; line = await peer.readLine()) {
        const request = parseControlRequest(line);
        let answer: ControlAnswer;
        try {
          answer = request.ok
            ? { ok: true, value: await obey(server, request.value, log) }
            : { ok: false, error: request.error };
        } catch (error) {
          answer = { ok: false, error: error instanceof Error ? error.message : String(error) };
        }
        await peer.write(`${JSON.stringify(answer)}\n`);
      }
    },
  });

export interface ControlSocket {
  /**
   * Resolves once the server has ended and the path is removed. A program that ends by `process.exit` waits for it, or it
   * leaves the path behind.
   */
  readonly closed: Promise<void>;
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
      log,
      unixMode: OWNER_ONLY,
      replaceUnixPath: replace,
      keepUnixPath: hasSuccessor,
      limits: { idleTimeoutMs: 0 },
    },
  );
  await control.listen();
  const close = (): Promise<void> => {
    // In two steps: a client of `stop` takes the end of its connection for the end of everything, the path too.
    const closed = control.close({ graceMs: LAST_STEP_MS });
    void control.close({ graceMs: 0 });
    return closed;
  };
  return { closed: server.ended.catch(() => undefined).then(close) };
}
