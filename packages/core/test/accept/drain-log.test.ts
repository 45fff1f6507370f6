// What a drain says of whom it waits for and whom it cuts.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { DrainLog } from '../../src/accept/drain-log.ts';
import { ServiceRuntime } from '../../src/accept/service-runtime.ts';
import { UnsentBudget } from '../../src/connection/unsent-budget.ts';
import { createServer, defineProtocol, silentLog, systemClock } from '../../src/index.ts';
import { ListenerStates } from '../../src/listener/states.ts';
import { resolveOptions } from '../../src/resolve-options.ts';
import { connectClient, eventually } from '../../src/testing/index.ts';
import { TimerWheel } from '../../src/time/timer-wheel.ts';

type Line = Readonly<Record<string, unknown>>;

function recordingLog() {
  const lines: Line[] = [];
  const note = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  return { lines, log: { ...silentLog, info: note('info'), warn: note('warn') } };
}

const busy = defineProtocol({
  name: 'busy',
  port: 7,
  open: () => ({ data: () => undefined, doing: () => 'RETR big.iso' }),
});

test('the log says how many connections are waited for, and at the deadline who is cut, in the words of the protocol', async () => {
  const { lines, log } = recordingLog();
  const server = createServer({ protocol: busy, listen: 'tcp://127.0.0.1:0' }, { log });
  const [bound] = await server.listen();
  const clients = [await connectClient(bound?.url ?? ''), await connectClient(bound?.url ?? '')];
  await eventually(async () => (await server.status()).services[0]?.connections.open === 2);
  await server.close({ graceMs: 20 });
  for (const client of clients) client.reset();
  expect(lines).toEqual([
    {
      level: 'info',
      message: 'open connections are waited for',
      service: 'busy',
      open: 2,
      first: clients.map(({ localPort }) => `127.0.0.1:${localPort} RETR big.iso`),
      graceMs: 20,
    },
    {
      level: 'warn',
      message: 'connections were still open at the drain deadline and are cut',
      service: 'busy',
      cut: 2,
      first: clients.map(({ localPort }) => `127.0.0.1:${localPort} RETR big.iso`),
      reason: 'drain-timeout',
    },
  ]);
});

test('of those that are waited for five are named, and none that is idle', () => {
  const { lines, log } = recordingLog();
  const drain = new DrainLog('ftp', log);
  const peer = (port: number, doing: string | undefined) => ({
    remote: { family: 'ipv4', address: '192.0.2.1', port } as const,
    doing,
  });
  drain.waitsFor([peer(1, undefined), peer(2, 'NOOP'), ...[3, 4, 5, 6, 7].map((port) => peer(port, 'LIST'))], 1_000);
  drain.cuts([peer(1, undefined)]);
  expect(lines.map(({ open, cut, first }) => ({ open, cut, first }))).toEqual([
    { open: 7, cut: undefined, first: ['192.0.2.1:2 NOOP', ...[3, 4, 5, 6].map((port) => `192.0.2.1:${port} LIST`)] },
    { open: undefined, cut: 1, first: ['192.0.2.1:1'] },
  ]);
});

test('connections that only wait are counted', () => {
  const { lines, log } = recordingLog();
  new DrainLog('ftp', log).waitsFor([{ remote: { family: 'unix', path: '' }, doing: undefined }], 1_000);
  expect(lines).toEqual([
    { level: 'info', message: 'open connections are waited for', service: 'ftp', open: 1, graceMs: 1_000 },
  ]);
});

test('a server without connections, or one that is ended at once, says nothing', async () => {
  const { lines, log } = recordingLog();
  for (const graceMs of [20, 0]) {
    const server = createServer({ protocol: busy, listen: 'tcp://127.0.0.1:0' }, { log });
    const [bound] = await server.listen();
    if (graceMs === 0) {
      const client = await connectClient(bound?.url ?? '');
      await eventually(async () => (await server.status()).services[0]?.connections.open === 1);
      client.reset();
    }
    await server.close({ graceMs });
  }
  expect(lines).toEqual([]);
});

test('a datagram socket that is taken back still answers what it is at work on, and counts it', async () => {
  let answer: (() => void) | undefined;
  const protocol = defineProtocol({
    name: 'late',
    port: 7,
    datagrams: (socket) => async (message, source) => {
      await new Promise<void>((resolve) => (answer = resolve));
      socket.send(message, source.port, source.address);
    },
  });
  const [service] = resolveOptions({ protocol }, {}).services;
  const local = new ServiceRuntime({
    service: service!,
    context: { log: silentLog, clock: systemClock, workerSlot: 1, workerCount: 1, counters: {} },
    wheel: new TimerWheel(systemClock),
    unsent: new UnsentBudget({ clock: systemClock, maxBytes: 0 }),
    backlog: 8,
    drainTimeoutMs: 10_000,
    registryLimits: { maxConnections: 8, maxConnectionsPerAddress: 8, freePerAddress: 8, maxWaiting: 8 },
    states: new ListenerStates('worker'),
  });
  const [socket, client] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
  onTestFinished(() => void client.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  local.listenDatagrams(1, { scheme: 'udp', host: '127.0.0.1', port }, socket);
  client.send('question', port, '127.0.0.1');
  await eventually(() => answer !== undefined);
  local.unlisten(1);
  const answered = once(client, 'message');
  answer?.();
  const [message] = (await answered) as [Buffer];
  expect(message.toString()).toBe('question');
  await eventually(() => local.share().listeners[0]?.datagrams.sent === 1);
  await local.drain(0);
});
