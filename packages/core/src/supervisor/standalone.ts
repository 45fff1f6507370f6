// A server without workers: binds, accepts and serves in this one process.

import { ListenerStates } from '../listener/states.ts';
import { formatListenTarget } from '../address/listen-target.ts';
import type { BoundListener } from '../listener/listener.ts';
import { explainBindFailure } from '../listener/bind-failure.ts';
import { AddressLedger, firstQuota } from '../accept/address-ledger.ts';
import { BanCounter } from '../accept/ban-counter.ts';
import { ServiceRuntime, type ServiceRuntimeOptions } from '../accept/service-runtime.ts';
import { sharedLimitsOf, type SharedLimits } from '../accept/shared-limits.ts';
import { createUnsentBudget } from '../accept/unsent-alarm.ts';
import { receiveAgain, stopReceiving } from '../kernel/datagram-handle.ts';
import type { Protocol } from '../protocol.ts';
import { requireServed } from '../resolved-listen.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import { becomeIdentity } from './privileges.ts';
import type { Server } from '../server.ts';
import { createServerLifecycle, type BoundService } from './server-lifecycle.ts';
import { TicketKeys } from '../connection/ticket-keys.ts';
import { TimerWheel } from '../time/timer-wheel.ts';

export function createStandalone(options: ResolvedOptions): Server {
  const { log, clock, backlog, services, runAs, loadProtocols, maxUnsentBytesTotal, drainTimeoutMs } = options;
  const wheel = new TimerWheel(clock);
  const unsent = createUnsentBudget(options, maxUnsentBytesTotal);
  const states = new ListenerStates('standalone');
  const sharing = createSharing(options, (service, key, forMs) => locals[service]?.banned(key, forMs));
  const locals: ServiceRuntime[] = [];
  /** `protocols` are served instead of those that the services were described by. */
  const makeServices = (protocols: readonly Protocol[] = []): void => {
    for (const [index, service] of services.entries())
      locals.push(
        new ServiceRuntime({
          service: { ...service, protocol: protocols[index] ?? service.protocol },
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
            ...sharing?.quota(index),
          },
          states,
          ...sharing?.of(index),
        }),
      );
  };
  const localOf = (service: number): ServiceRuntime => {
    const local = locals[service];
    if (local === undefined) throw new RangeError(`there is no service ${service}`);
    return local;
  };
  const listen = async ({ number, service, listener: { endpoint, socket } }: BoundService): Promise<void> => {
    if (socket.type === 'stream') await localOf(service).listenStream(number, endpoint, socket.handle);
    else localOf(service).listenDatagrams(number, endpoint, socket.socket);
  };
  // Nothing is served with the rights that bind the ports: until they are gone, what is bound waits in the kernel.
  const dropsRights = runAs !== undefined || loadProtocols !== undefined;
  const waiting: BoundService[] = [];
  if (!dropsRights) makeServices();
  const tickets = new TicketKeys(services, () => undefined);
  const bound: BoundListener[] = [];

  return createServerLifecycle(
    options,
    {
      services: services.map(({ name, listen }) => ({ name, listen })),
      prepare: () => {
        tickets.start(clock);
        sharing?.open();
      },
      async serve(one) {
        bound.push(one.listener);
        const { protocol } = services[one.service] ?? {};
        if (protocol !== undefined) requireServed(protocol, one.listener.endpoint, formatListenTarget(one.target));
        if (!dropsRights) {
          await listen(one);
          return;
        }
        const { socket } = one.listener;
        if (socket.type === 'datagram') stopReceiving(socket.socket);
        waiting.push(one);
      },
      async opened() {
        if (!dropsRights) return;
        if (runAs !== undefined) becomeIdentity(runAs);
        makeServices(await loadProtocols?.());
        for (const one of waiting) {
          const { endpoint, socket } = one.listener;
          await listen(one).catch((error: unknown) => {
            throw explainBindFailure(endpoint, error);
          });
          if (socket.type === 'datagram') receiveAgain(socket.socket);
        }
      },
      async drain(graceMs) {
        const drained = Promise.all(locals.map((local) => local.drain(graceMs)));
        // Unix paths go at once, since none is served there any more. A datagram socket still sends what is in flight.
        const isStream = ({ socket }: BoundListener): boolean => socket.type === 'stream';
        for (const listener of bound.filter(isStream)) await listener.close();
        await drained;
        await Promise.all(bound.filter((listener) => !isStream(listener)).map((listener) => listener.close()));
        tickets.stop();
        await sharing?.shared.close();
      },
      shortenGrace(graceMs) {
        for (const local of locals) void local.drain(graceMs);
      },
      answer(service) {
        const local = locals[service];
        return { share: local?.share() ?? { listeners: [], counters: {} }, pairs: local?.pairs() ?? [] };
      },
      holders: locals,
      eachSecond: () => unsent.sample(),
      unsentBytes: () => unsent.unsentBytes,
      ...(sharing === undefined ? {} : { limitsExchange: () => sharing.shared.status() }),
      hint: 'give it workers',
    },
    states,
  );
}

interface Sharing {
  readonly shared: SharedLimits;
  open(): void;
  /** Every connection is asked for, since only a ledger knows of other machines. */
  quota(service: number): { readonly freePerAddress: number };
  of(service: number): Pick<ServiceRuntimeOptions, 'leases' | 'reportOffence'>;
}

/** What counts where limits are shared with other machines; undefined where this process counts for itself. */
function createSharing(
  options: ResolvedOptions,
  banned: (service: number, key: string, forMs: number) => void,
): Sharing | undefined {
  const { clock, services } = options;
  const shared = sharedLimitsOf(options);
  if (shared === undefined) return undefined;
  const bans = new BanCounter(options, banned, shared);
  const ledgers = services.map(
    ({ limits }, service) =>
      new AddressLedger(
        limits.maxConnectionsPerAddress,
        limits.maxAcceptsPerSecondPerAddress,
        shared.observer(service),
      ),
  );
  return {
    shared,
    open: () => shared.open({ ledgerOf: (service) => ledgers[service], bans }),
    quota(service) {
      const { maxConnectionsPerAddress = 0, maxAcceptsPerSecondPerAddress = 0 } = services[service]?.limits ?? {};
      return { freePerAddress: firstQuota(maxConnectionsPerAddress, maxAcceptsPerSecondPerAddress) };
    },
    of: (service) => ({
      reportOffence: (key) => bans.offended(service, key),
      leases: {
        ask(key) {
          const verdict = ledgers[service]?.lease(0, key, clock.nowMs()) ?? 'address-limit';
          if (verdict === 'granted') shared.opened(service, key);
          return Promise.resolve(verdict);
        },
        release: (key) => ledgers[service]?.release(0, key),
      },
    }),
  };
}
