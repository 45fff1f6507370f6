// A server without workers: binds, accepts and serves in this one process.

import { ListenerStates } from '../listener/states.ts';
import type { BoundListener } from '../listener/listener.ts';
import { AddressLedger, firstQuota } from '../accept/address-ledger.ts';
import { BanCounter } from '../accept/ban-counter.ts';
import { ServiceRuntime, type ServiceRuntimeOptions } from '../accept/service-runtime.ts';
import { sharedLimitsOf, type SharedLimits } from '../accept/shared-limits.ts';
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
  const sharing = createSharing(options, (service, key, forMs) => localOf(service).banned(key, forMs));
  const locals = services.map(
    (service, index): ServiceRuntime =>
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
          ...sharing?.quota(index),
        },
        states,
        ...sharing?.of(index),
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
      prepare: () => {
        tickets.start(clock);
        sharing?.open();
      },
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
        await sharing?.shared.close();
      },
      shortenGrace(graceMs) {
        for (const local of locals) void local.drain(graceMs);
      },
      answer(service) {
        const local = localOf(service);
        return { share: local.share(), pairs: local.pairs() };
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
