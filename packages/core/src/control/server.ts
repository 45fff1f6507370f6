// The control socket of a running supervisor: a protocol of our own core, on a unix path that only its owner may open.

import { createServer } from '../create-server.ts';
import type { Logger } from '../log.ts';
import { defineProtocol, type Protocol } from '../protocol.ts';
import type { Server } from '../server.ts';
import { parseControlRequest, type ControlAnswer, type ControlRequest } from './protocol.ts';

const OWNER_ONLY = 0o600;

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
    case 'scale': {
      const { workers } = await server.status();
      const alive = workers.filter((worker) => worker.at !== 'draining').length;
      server.scale(request.workers - alive);
      return { workers: request.workers };
    }
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

/**
 * Opens the control socket (mode 0600) of `server` and closes it with it. Rejects when the path can't be bound.
 * `replace` takes the path over from a predecessor that still listens there.
 */
export async function openControlSocket(
  path: string,
  server: Server,
  log: Logger,
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<void> {
  const control = createServer(
    { protocol: controlProtocol(server, log), listen: `unix:${path}` },
    { log, unixMode: OWNER_ONLY, replaceUnixPath: replace, limits: { idleTimeoutMs: 0 } },
  );
  await control.listen();
  void server.ended.catch(() => undefined).then(() => control.close({ graceMs: 0 }));
}
