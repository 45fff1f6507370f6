// Who accepts from which listener, as workers come, fill up and go. Real sockets, workers without processes.

import type { AcceptStrategy } from '../../src/listener/shared-sockets.ts';
import dgram from 'node:dgram';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { readInheritance } from '../../src/listener/inheritance.ts';
import { defineProtocol } from '../../src/index.ts';
import { resolveOptions } from '../../src/resolved-options.ts';
import { offersReusePort } from '../../src/kernel/stream-handle.ts';
import { ListenerTable } from '../../src/supervisor/listener-table.ts';
import { fakeWorker, type FakeWorker } from '../fixtures/worker-handles.ts';

const tables: ListenerTable[] = [];
afterEach(async () => {
  for (const table of tables.splice(0)) await table.close(false);
});

const echo = defineProtocol({ name: 'echo', port: 7, open: () => ({ data: () => undefined }) });

async function tableOf(accept: AcceptStrategy, slots: readonly number[], services = 1): Promise<ListenerTable> {
  const options = resolveOptions(
    Array.from({ length: services }, () => ({ protocol: echo, listen: 'tcp://127.0.0.1:0' })),
    { accept },
  );
  const table = new ListenerTable(options, readInheritance({}));
  tables.push(table);
  await table.bindAll(slots);
  return table;
}

const ready = (...workers: readonly FakeWorker[]) => workers.map((worker) => ({ worker, at: 'ready' as const }));
const said = (worker: FakeWorker): string[] =>
  worker
    .told()
    .map((message) =>
      message.type === 'assign' || message.type === 'withdraw' ? `${message.type} ${message.listener}` : message.type,
    );

describe('a shared listener', () => {
  test('is assigned to every worker, and said once', async () => {
    const table = await tableOf('inherit-shared', [1, 2]);
    const [first, second] = [fakeWorker(1), fakeWorker(2)];
    table.updateAssignments(ready(first, second));
    table.updateAssignments(ready(first, second));
    expect([said(first), said(second)]).toEqual([['assign 0'], ['assign 0']]);
    expect([[...first.assigned], [...second.assigned]]).toEqual([[0], [0]]);
  });

  test('is assigned again to a worker that was full, without a word before: it stopped by itself', async () => {
    const table = await tableOf('inherit-shared', [1], 2);
    const worker = fakeWorker(1);
    table.updateAssignments(ready(worker));
    worker.told();
    worker.fullServices.add(1);
    table.forgetAssignments(worker, 1);
    table.updateAssignments(ready(worker));
    expect([said(worker), [...worker.assigned]]).toEqual([[], [0]]);
    worker.fullServices.delete(1);
    table.updateAssignments(ready(worker));
    expect(said(worker)).toEqual(['assign 1']);
  });

  test('a worker that is not among those it is called with is told nothing', async () => {
    const table = await tableOf('inherit-shared', [1, 2]);
    const [first, draining] = [fakeWorker(1), fakeWorker(2)];
    table.updateAssignments(ready(first, draining));
    draining.told();
    table.updateAssignments(ready(first));
    expect([said(draining), [...draining.assigned]]).toEqual([[], [0]]);
  });
});

describe.runIf(offersReusePort)('listeners of slots (where this Node has SO_REUSEPORT)', () => {
  test('go to another worker while the one of the slot is away, and are withdrawn when its successor is ready', async () => {
    const table = await tableOf('inherit-sharded', [1, 2]);
    const [first, second, successor] = [fakeWorker(1, 1), fakeWorker(2, 2), fakeWorker(3, 2)];
    table.updateAssignments(ready(first, second));
    expect([said(first), said(second)]).toEqual([['assign 0'], ['assign 1']]);
    table.updateAssignments(ready(first));
    expect(said(first)).toEqual(['assign 1']);
    table.updateAssignments([...ready(first), { worker: successor, at: 'starting' }]);
    expect([said(first), said(successor)]).toEqual([[], ['assign 1']]);
    table.updateAssignments(ready(first, successor));
    expect([said(first), said(successor)]).toEqual([['withdraw 1'], []]);
    expect([...first.assigned]).toEqual([0]);
  });

  test('are one endpoint to who asks, and a slot that is added gets one of its own, once', async () => {
    const table = await tableOf('inherit-sharded', [1, 2]);
    expect(table.endpoints()).toHaveLength(1);
    await table.bindForSlot(3);
    await table.bindForSlot(3);
    expect(table.all().map(({ slot }) => slot)).toEqual([1, 2, 3]);
    expect(new Set(table.all().map(({ listener }) => JSON.stringify(listener.endpoint))).size).toBe(1);
    expect(table.urlsOf(0)).toEqual(table.endpoints().map(({ url }) => url));
  });
});

test('what the kernel has dropped stays counted when the socket is closed, for the service that had it', async () => {
  const protocol = defineProtocol({ name: 'udp', port: 7, datagrams: () => () => undefined });
  const services = ['first', 'second'].map((name) => ({ name, protocol, listen: 'udp://127.0.0.1:0' }));
  const table = new ListenerTable(resolveOptions(services, { accept: 'inherit-shared' }), readInheritance({}));
  tables.push(table);
  await table.bindAll([1]);
  const client = dgram.createSocket('udp4');
  onTestFinished(() => {
    client.close();
  });
  const dropsOf = async (name: string): Promise<number> =>
    [...(await table.kernelCounters())(name).values()].reduce((sum, { drops }) => sum + drops, 0);
  // No worker receives, and the buffer of a socket is full before these are there.
  const flood = async (url = ''): Promise<void> => {
    const port = Number(url.split(':').at(-1));
    for (let count = 0; count < 30; count += 1)
      await new Promise<void>((sent) => {
        client.send(new Uint8Array(60_000), port, '127.0.0.1', () => sent());
      });
  };
  const [url] = table.urlsOf(0);
  await flood(url);
  const dropped = await dropsOf('first');
  expect(dropped).toBeGreaterThan(0);
  // A reload gives the socket to the other service, and closes the one that this had.
  const [socket] = table.all();
  await table.keepOnly(new Map([[socket?.id ?? -1, { service: 1, url: url ?? '' }]]));
  await flood(url);
  expect([await dropsOf('first'), await dropsOf('second')]).toEqual([dropped, 30]);
  await table.close(false);
  expect([await dropsOf('first'), await dropsOf('second')]).toEqual([dropped, 30]);
});

test('what the primary accepts from is assigned to no worker', async () => {
  const table = await tableOf('dispatch', [1]);
  const worker = fakeWorker(1);
  table.updateAssignments(ready(worker));
  expect(said(worker)).toEqual([]);
});

test('what node:cluster shares out is assigned without a handle', async () => {
  const table = await tableOf('cluster-rr', [1]);
  const worker = fakeWorker(1);
  table.updateAssignments(ready(worker));
  expect(worker.told()).toMatchObject([{ type: 'assign', service: 0, listener: 0, via: 'cluster' }]);
});
