// What is counted, and how the parts become sums: pure, but for the last tests.

import dgram from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/resolve-options.ts';
import { bindListener } from '../../src/listener/listener.ts';
import { ListenerStates } from '../../src/listener/states.ts';
import { ServiceRuntime } from '../../src/accept/service-runtime.ts';
import { NO_DATAGRAMS } from '../../src/datagram/limits.ts';
import { serviceStatus, type ServiceShare, type ServiceStatus } from '../../src/observe/status.ts';
import { UnsentBudget } from '../../src/connection/unsent-budget.ts';
import { TimerWheel } from '../../src/time/timer-wheel.ts';
import { WorkerCounters } from '../../src/supervisor/worker-counters.ts';
import { defineProtocol, silentLog, systemClock, type ServiceContext } from '../../src/index.ts';
import { connectClient, eventually } from '../../src/testing/index.ts';

const share = (accepted: number, open: number, finished = accepted - open): ServiceShare => ({
  listeners: [
    {
      endpoint: 'tcp://127.0.0.1:7',
      connections: { open, waiting: 0, accepted, closed: finished === 0 ? {} : { finished } },
      datagrams: NO_DATAGRAMS,
    },
  ],
  counters: { lines: accepted },
});

const statusOf = (shares: WorkerCounters): ServiceStatus =>
  serviceStatus('echo', ['tcp://127.0.0.1:7'], shares.of(0), []);

describe('the shares of workers', () => {
  test('a slot goes on counting when its worker is replaced, also while both are there', () => {
    const shares = new WorkerCounters();
    shares.told(1, 1, [share(5, 1)]);
    shares.told(1, 2, [share(2, 2)]);
    expect(shares.of(0)).toEqual([{ slot: 1, ...share(7, 3) }]);
    shares.told(1, 1, [share(5, 0)]);
    shares.ended(1);
    expect(shares.of(0)).toEqual([{ slot: 1, ...share(7, 2) }]);
  });

  test('what a worker had open when it died is lost, and counted so', () => {
    const shares = new WorkerCounters();
    shares.told(1, 1, [share(5, 2)]);
    shares.ended(1);
    shares.ended(1);
    expect(statusOf(shares).connections).toEqual({
      open: 0,
      waiting: 0,
      accepted: 5,
      closed: { finished: 3, 'worker-lost': 2 },
    });
  });

  test('whatever happens to workers, no counter falls and the parts add up', () => {
    const event = fc.oneof(
      fc.record({
        type: fc.constant('told' as const),
        workerId: fc.integer({ min: 1, max: 6 }),
        more: fc.nat(5),
        open: fc.nat(3),
      }),
      fc.record({ type: fc.constant('ended' as const), workerId: fc.integer({ min: 1, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const shares = new WorkerCounters();
        const accepted = new Map<number, number>();
        const dead = new Set<number>();
        let before = 0;
        for (const one of events) {
          if (dead.has(one.workerId)) continue;
          if (one.type === 'ended') {
            shares.ended(one.workerId);
            dead.add(one.workerId);
          } else {
            accepted.set(one.workerId, (accepted.get(one.workerId) ?? 0) + one.more);
            shares.told((one.workerId % 3) + 1, one.workerId, [
              share(accepted.get(one.workerId) ?? 0, Math.min(one.open, accepted.get(one.workerId) ?? 0)),
            ]);
          }
          const { connections, listeners, byWorker } = statusOf(shares);
          const closed = Object.values(connections.closed).reduce((sum, count) => sum + count, 0);
          expect(connections.accepted).toBe(connections.open + connections.waiting + closed);
          expect(connections.accepted).toBeGreaterThanOrEqual(before);
          expect(listeners[0]?.connections.accepted).toBe(
            byWorker.reduce((sum, { listeners: [listener] }) => sum + (listener?.connections.accepted ?? 0), 0),
          );
          before = connections.accepted;
        }
      }),
    );
  });

  test('a listener that nothing came through is there with zeros', () => {
    expect(statusOf(new WorkerCounters()).listeners).toEqual([
      {
        endpoint: 'tcp://127.0.0.1:7',
        connections: { open: 0, waiting: 0, accepted: 0, closed: {} },
        backlog: 0,
        datagrams: NO_DATAGRAMS,
      },
    ]);
  });
});

test('a connection that is cut while the ledger is asked about its address is counted as closed once', async () => {
  const protocol = defineProtocol({ name: 'echo', port: 7, open: () => ({ data: () => undefined }) });
  const [service] = resolveOptions({ protocol }, {}).services;
  let answer: ((verdict: 'address-limit') => void) | undefined;
  const local = new ServiceRuntime({
    service: service!,
    context: { log: silentLog, clock: systemClock, workerSlot: 1, workerCount: 1, counters: {} },
    wheel: new TimerWheel(systemClock),
    unsent: new UnsentBudget({ clock: systemClock, maxBytes: 0 }),
    backlog: 8,
    drainTimeoutMs: 1_000,
    registryLimits: { maxConnections: 8, maxConnectionsPerAddress: 8, freePerAddress: 0, maxWaiting: 8 },
    states: new ListenerStates('worker'),
    leases: { ask: () => new Promise((resolve) => (answer = resolve)), release: () => undefined },
  });
  const bound = await bindListener({ scheme: 'tcp', host: '127.0.0.1', port: 0 });
  await local.listenStream(1, bound.endpoint, bound.socket.type === 'stream' ? bound.socket.handle : undefined!);
  const client = await connectClient(`tcp://127.0.0.1:${bound.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0}`);
  await eventually(() => answer !== undefined);
  await local.drain(0);
  answer?.('address-limit');
  await new Promise((resolve) => setImmediate(resolve));
  await bound.close();
  client.reset();
  expect(local.share().listeners.map(({ connections }) => connections)).toEqual([
    { open: 0, waiting: 0, accepted: 1, closed: { 'drain-timeout': 1 } },
  ]);
});

test('a protocol is told how many processes serve now, not how many did when it began', async () => {
  const told: ServiceContext[] = [];
  const protocol = defineProtocol({
    name: 'count',
    port: 7,
    datagrams: (_socket, context) => {
      told.push(context);
      return () => undefined;
    },
  });
  const [service] = resolveOptions({ protocol }, {}).services;
  const local = new ServiceRuntime({
    service: service!,
    context: { log: silentLog, clock: systemClock, workerSlot: 1, workerCount: 2, counters: {} },
    wheel: new TimerWheel(systemClock),
    unsent: new UnsentBudget({ clock: systemClock, maxBytes: 0 }),
    backlog: 8,
    drainTimeoutMs: 1_000,
    registryLimits: { maxConnections: 8, maxConnectionsPerAddress: 8, freePerAddress: 8, maxWaiting: 8 },
    states: new ListenerStates('worker'),
  });
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  local.listenDatagrams(1, { scheme: 'udp', host: '127.0.0.1', port: socket.address().port }, socket);
  expect(told.map(({ workerCount }) => workerCount)).toEqual([2]);
  local.resize(8, 3);
  expect(told.map(({ workerCount }) => workerCount)).toEqual([3]);
  await local.drain(0);
});
