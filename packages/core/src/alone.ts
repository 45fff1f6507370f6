// A server without workers: binds, accepts and serves in this one process.

import { WellknownError } from './errors.ts';
import { bindListener, type BoundListener } from './listener.ts';
import { LocalService } from './local-service.ts';
import type { ResolvedOptions } from './options.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { TimerWheel } from './timer-wheel.ts';

export function createAlone(options: ResolvedOptions): Server {
  const { log, clock, backlog } = options;
  const wheel = new TimerWheel(clock);
  const locals = options.services.map((service) => new LocalService({
    service,
    context: { log, clock, workerSlot: 0, counters: {} },
    wheel,
    backlog,
    registryLimits: {
      maxConnections: service.limits.maxConnections,
      maxConnectionsPerAddress: service.limits.maxConnectionsPerAddress,
      freePerAddress: service.limits.maxConnectionsPerAddress,
      maxWaiting: backlog,
    },
  }));
  const bound: BoundListener[] = [];
  let started = false;
  let closing: Promise<void> | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(locals.map((local) => local.drain(graceMs)));
    await Promise.all(bound.map((listener) => listener.close()));
    markEnded();
  };

  const server: Server = {
    role: 'alone',
    ended,
    async listen() {
      if (started) throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      started = true;
      try {
        const endpoints: BoundEndpoint[] = [];
        for (const [index, service] of options.services.entries()) {
          for (const [number, endpoint] of service.listen.entries()) {
            const listener = await bindListener(endpoint);
            bound.push(listener);
            endpoints.push(boundEndpoint(service.protocol.name, listener.endpoint));
            if (listener.socket.type === 'stream') await locals[index]?.listenStream(number, listener.endpoint, listener.socket.handle);
            else locals[index]?.listenDatagrams(number, listener.endpoint, listener.socket.socket);
          }
        }
        return endpoints;
      } catch (error) {
        await close(0);
        throw error;
      }
    },
    close({ graceMs = options.drainTimeoutMs } = {}) {
      if (closing === undefined) closing = close(graceMs);
      else for (const local of locals) void local.drain(graceMs);
      return closing;
    },
    status: () => Promise.resolve({ role: 'alone', pid: process.pid, services: locals.map((local) => local.status()), workers: [] }),
    scale() {
      throw new WellknownError('WRONG_STATE', 'a server without workers cannot be scaled', { fault: 'local' });
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}
