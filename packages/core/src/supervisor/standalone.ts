// A server without workers: binds, accepts and serves in this one process.

import { ListenerStates } from '../listener/states.ts';
import type { BoundListener } from '../listener/listener.ts';
import { ServiceRuntime } from '../accept/service-runtime.ts';
import { createUnsentBudget } from '../accept/unsent-alarm.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import { becomeIdentity } from './privileges.ts';
import type { Server } from '../server.ts';
import { createServerLifecycle } from './server-lifecycle.ts';
import { TicketKeys } from '../connection/ticket-keys.ts';
import { TimerWheel } from '../time/timer-wheel.ts';

export function createStandalone(options: ResolvedOptions): Server {
  const { log, clock, backlog, services, runAs, maxUnsentBytesTotal, drainTimeoutMs } = options;
  const wheel = new TimerWheel(clock);
  const unsent = createUnsentBudget(options, maxUnsentBytesTotal);
  const states = new ListenerStates('standalone');
  const locals = services.map(
    (service) =>
      new ServiceRuntime({
        service,
        context: { log, clock, workerSlot: 0, workerCount: 1, counters: {} },
        wheel,
        unsent,
        backlog,
        drainTimeoutMs,
        registryLimits: {
          maxConnections: service.limits.maxConnections,
          maxConnectionsPerAddress: service.limits.maxConnectionsPerAddress,
          freePerAddress: service.limits.maxConnectionsPerAddress,
          maxWaiting: backlog,
        },
        states,
      }),
  );
  const localOf = (service: number): ServiceRuntime => {
    const local = locals[service];
    if (local === undefined) throw new RangeError(`there is no service ${service}`);
    return local;
  };
  const tickets = new TicketKeys(services, () => undefined);
  const bound: BoundListener[] = [];

  return createServerLifecycle(
    options,
    {
      services: services.map(({ name, listen }) => ({ name, listen })),
      prepare: () => tickets.start(clock),
      async serve({ number, service, listener }) {
        bound.push(listener);
        if (listener.socket.type === 'stream')
          await localOf(service).listenStream(number, listener.endpoint, listener.socket.handle);
        else localOf(service).listenDatagrams(number, listener.endpoint, listener.socket.socket);
      },
      opened() {
        if (runAs !== undefined) becomeIdentity(runAs);
      },
      async drain(graceMs) {
        const drained = Promise.all(locals.map((local) => local.drain(graceMs)));
        // Unix paths go at once, since none is served there any more. A datagram socket still sends what is in flight.
        const isStream = ({ socket }: BoundListener): boolean => socket.type === 'stream';
        for (const listener of bound.filter(isStream)) await listener.close();
        await drained;
        await Promise.all(bound.filter((listener) => !isStream(listener)).map((listener) => listener.close()));
        tickets.stop();
      },
      shortenGrace(graceMs) {
        for (const local of locals) void local.drain(graceMs);
      },
      answer(service) {
        const local = localOf(service);
        return { share: local.share(), pairs: local.pairs() };
      },
      eachSecond: () => unsent.sample(),
      unsentBytes: () => unsent.unsentBytes,
      hint: 'give it workers',
    },
    states,
  );
}
