// The sockets that a primary accepts from, and those that a reload has removed.

import type net from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { defineProtocol, silentLog, systemClock } from '../../src/index.ts';
import { readInheritance } from '../../src/listener/inheritance.ts';
import { bindShared, urlOf } from '../../src/listener/shared-sockets.ts';
import { resolveOptions } from '../../src/resolved-options.ts';
import { DispatcherGroup } from '../../src/supervisor/dispatcher-group.ts';
import type { WorkerPool } from '../../src/supervisor/worker-pool.ts';
import { connectClient, eventually } from '../../src/testing/index.ts';

test.each(['taken', 'returned'] as const)(
  'of a socket that a reload has removed, what was on its way to a worker is let go once it is %s',
  async (type) => {
    const sent: { connection: number; socket: net.Socket }[] = [];
    const worker = {
      workerId: 1,
      slot: 1,
      serviceOf: () => 0,
      ownerOf: () => undefined,
      send: ({ connection }: { connection: number }, socket: net.Socket) => void sent.push({ connection, socket }),
    };
    const pool = { withRoom: () => [worker], get: () => worker } as unknown as WorkerPool;
    const protocol = defineProtocol({ name: 'echo', port: 7, connection: () => undefined });
    const options = resolveOptions({ protocol, listen: [] }, { log: silentLog, clock: systemClock });
    const [socket] = await bindShared({
      ...{ service: 0, asked: { scheme: 'tcp', host: '127.0.0.1', port: 0 }, strategy: 'dispatch', slots: [1] },
      ...{ firstId: 0, inheritance: readInheritance({}), unixMode: undefined },
    });
    if (socket === undefined) throw new Error('nothing was bound');
    const group = new DispatcherGroup(options, pool);
    await group.start(socket);
    const client = await connectClient(urlOf(socket));
    onTestFinished(() => client.reset());
    await eventually(() => sent.length === 1);
    group.end(socket);
    const [first] = sent;
    if (first === undefined) throw new Error('nothing was sent');
    const closed = once(first.socket, 'close');
    group.received({ type, connection: first.connection });
    await closed;
    expect(first.socket.destroyed).toBe(true);
  },
);
