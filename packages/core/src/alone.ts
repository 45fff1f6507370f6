// A server without workers: binds, accepts and serves in this one process.

import { bindTarget } from './bind-target.ts';
import { publishServer } from './diagnostics.ts';
import { watchEventLoop, type EventLoopWatch } from './event-loop.ts';
import { kernelCounters } from './kernel-counters.ts';
import { ListenerStates } from './listener-states.ts';
import { WellknownError } from './errors.ts';
import type { BoundListener } from './listener.ts';
import { LocalService } from './local-service.ts';
import type { ResolvedOptions } from './options.ts';
import { becomeIdentity } from './privileges.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus } from './status.ts';
import { TicketKeys } from './ticket-keys.ts';
import { TimerWheel } from './timer-wheel.ts';

export function createAlone(options: ResolvedOptions): Server {
  const { log, clock, backlog } = options;
  const wheel = new TimerWheel(clock);
  const states = new ListenerStates('alone');
  const locals = options.services.map((service) => new LocalService({
    service,
    context: { log, clock, workerSlot: 0, workerCount: 1, counters: {} },
    wheel,
    backlog,
    registryLimits: {
      maxConnections: service.limits.maxConnections,
      maxConnectionsPerAddress: service.limits.maxConnectionsPerAddress,
      freePerAddress: service.limits.maxConnectionsPerAddress,
      maxWaiting: backlog,
    },
    states,
  }));
  const tickets = new TicketKeys(options.services, () => undefined);
  const bound: BoundListener[] = [];
  let started = false;
  let watch: EventLoopWatch | undefined;
  let closing: Promise<void> | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const close = async (graceMs: number): Promise<void> => {
    publishServer('alone', 'draining');
    await Promise.all(locals.map((local) => local.drain(graceMs)));
    await Promise.all(bound.map((listener) => listener.close()));
    tickets.stop();
    states.moveAll('closed');
    watch?.stop();
    publishServer('alone', 'ended');
    markEnded();
  };

  const server: Server = {
    role: 'alone',
    ended,
    async listen() {
      if (started) throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      started = true;
      publishServer('alone', 'starting');
      try {
        const endpoints: BoundEndpoint[] = [];
        tickets.start(clock);
        for (const [index, service] of options.services.entries()) {
          for (const target of service.listen) {
            for await (const listener of bindTarget(target, { unixMode: options.unixMode, replacePath: options.replaceUnixPath })) {
              const number = bound.push(listener);
              const at = boundEndpoint(service.protocol.name, listener.endpoint);
              endpoints.push(at);
              states.appears(number, at.service, at.url, 'unbound');
              states.move(number, 'bound');
              if (listener.socket.type === 'stream') await locals[index]?.listenStream(number, listener.endpoint, listener.socket.handle);
              else locals[index]?.listenDatagrams(number, listener.endpoint, listener.socket.socket);
            }
          }
        }
        if (closing !== undefined) throw new WellknownError('WRONG_STATE', 'the server was closed before it was ready', { fault: 'local' });
        if (options.runAs !== undefined) becomeIdentity(options.runAs);
        watch = watchEventLoop(clock, (loop) => options.metrics?.sampled(0, loop));
        publishServer('alone', 'listening');
        return endpoints;
      } catch (error) {
        await server.close({ graceMs: 0 });
        throw error;
      }
    },
    close({ graceMs = options.drainTimeoutMs } = {}) {
      if (closing === undefined) closing = close(graceMs);
      else for (const local of locals) void local.drain(graceMs);
      return closing;
    },
    async status() {
      const kernel = await kernelCounters(locals.flatMap((local) => local.endpoints()));
      return {
        role: 'alone',
        pid: process.pid,
        eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
        services: locals.map((local, index) => serviceStatus(options.services[index]?.protocol.name ?? '', local.endpoints(), [{ slot: 0, ...local.share() }], local.pairs(), kernel)),
        workers: [],
        supervision: NO_SUPERVISION,
      };
    },
    scale: notWithoutWorkers('scaled'),
    reload: notWithoutWorkers('reloaded'),
    upgrade: notWithoutWorkers('upgraded'),
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

const notWithoutWorkers = (what: string) => (): never => {
  throw new WellknownError('WRONG_STATE', `a server without workers cannot be ${what}`, { fault: 'local', hint: 'give it workers' });
};
