// The services as a worker serves them: each with its share of what all workers may have.

import { firstQuota } from '../accept/address-ledger.ts';
import { ServiceRuntime } from '../accept/service-runtime.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import type { ListenerStates } from '../listener/states.ts';
import type { ResolvedOptions, ResolvedService } from '../resolved-options.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import { shareOf } from './connection-shares.ts';
import type { PrimaryChannel } from './primary-channel.ts';
import type { WorkerPlace } from './worker-environment.ts';

/** What all services of a worker share. */
export interface RuntimeParts {
  readonly options: Pick<ResolvedOptions, 'log' | 'clock' | 'backlog' | 'drainTimeoutMs' | 'accept'>;
  readonly wheel: TimerWheel;
  readonly states: ListenerStates;
  readonly unsent: UnsentBudget;
  readonly channel: PrimaryChannel;
}

/** One service as a worker serves it: with its share of the limits, and the primary to ask for more. */
export function createRuntime(
  service: ResolvedService,
  index: number,
  { slot, workerCount }: WorkerPlace,
  { options: { log, clock, backlog, drainTimeoutMs, accept }, wheel, states, unsent, channel }: RuntimeParts,
): ServiceRuntime {
  const { maxConnections, maxConnectionsPerAddress, maxAcceptsPerSecondPerAddress } = service.limits;
  return new ServiceRuntime({
    service,
    context: { log, clock, workerSlot: slot, workerCount, counters: {}, siblings: channel.siblingsOf(index) },
    wheel,
    unsent,
    backlog,
    drainTimeoutMs,
    registryLimits: {
      // Fixed shares that add up to the whole. A full worker stops accepting, so the others take what it leaves.
      maxConnections: shareOf(maxConnections, slot, workerCount),
      maxConnectionsPerAddress,
      freePerAddress: firstQuota(maxConnectionsPerAddress, maxAcceptsPerSecondPerAddress),
      maxWaiting: backlog,
    },
    states,
    leases: channel.leasesOf(index),
    places: channel.placesOf(index),
    reportOffence: (key) => channel.send({ type: 'offence', service: index, key }),
    // node:cluster closes the port once no worker accepts: there, a full one lets its connections wait.
    ...(accept === 'cluster-rr'
      ? {}
      : {
          pool: {
            full: () => channel.send({ type: 'full', service: index }),
            room: () => channel.send({ type: 'room', service: index }),
          },
        }),
  });
}
