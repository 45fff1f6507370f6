// What a server tells of itself: status, metrics, diagnostics channels.

import type { SocketEventMessage } from '../../src/socket/socket-lifecycle.ts';
import type { ServerEventMessage } from '../../src/server.ts';
import type { ListenerEventMessage } from '../../src/listener/states.ts';
import type { ConnectionEventMessage } from '../../src/connection/connection.ts';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createExecServer } from '../../src/inetd/index.ts';
import { createServer, defineProtocol } from '../../src/index.ts';
import { prometheusText } from '../../src/observe/index.ts';
import { socket } from '../../src/socket/index.ts';
import { kernelCounters } from '../../src/kernel/socket-counters.ts';
import { backlogOf, isBeyondListening } from '../../src/kernel/proc-net.ts';
import { connectClient } from '../../src/testing/index.ts';

const echo = defineProtocol({
  name: 'echo',
  port: 7,
  open: (connection) => ({ data: (chunk) => void connection.send(Buffer.from(chunk)) }),
});

test("every change of a connection's state is published, in order and with its reason, and nothing when no subscriber listens", async () => {
  const seen: string[] = [];
  const listen = (message: unknown): void => {
    const { from, to, reason } = message as ConnectionEventMessage;
    seen.push(`${from} ${to} ${reason ?? ''}`.trim());
  };
  const server = createServer({ protocol: echo, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  subscribe('wellknown:connection', listen);
  try {
    const client = await connectClient(bound?.url ?? '');
    client.send('x');
    await client.receive('x');
    client.end();
    await client.receiveAll();
    await client.closed;
    await server.close();
  } finally {
    unsubscribe('wellknown:connection', listen);
  }
  expect(seen).toEqual([
    'accepted open',
    'open read-closed',
    'read-closed lingering finished',
    'lingering closed finished',
  ]);
  expect(channel('wellknown:connection').hasSubscribers).toBe(false);
});

test('a server publishes that it starts, listens, drains and has ended', async () => {
  const seen: string[] = [];
  const listen = (message: unknown): void => void seen.push((message as ServerEventMessage).to);
  subscribe('wellknown:server', listen);
  const server = createServer({ protocol: echo, listen: 'tcp://127.0.0.1:0' });
  await server.listen();
  await server.close();
  unsubscribe('wellknown:server', listen);
  expect(seen).toEqual(['starting', 'listening', 'draining', 'ended']);
});

test.each(['standalone', 'exec'])(
  'a listener publishes every change of its state, in a server that is %s',
  async (kind) => {
    const seen: Omit<ListenerEventMessage, 'endpoint'>[] = [];
    const endpoints = new Set<string>();
    const listen = (message: unknown): void => {
      const { endpoint, ...rest } = message as ListenerEventMessage;
      seen.push(rest);
      endpoints.add(endpoint);
    };
    subscribe('wellknown:listener', listen);
    const server =
      kind === 'exec'
        ? createExecServer({ program: 'cat', listen: 'tcp://127.0.0.1:0' })
        : createServer({ protocol: echo, listen: 'tcp://127.0.0.1:0' });
    const [bound] = await server.listen();
    await server.close();
    unsubscribe('wellknown:listener', listen);
    const common = { role: 'standalone', service: kind === 'exec' ? 'exec' : 'echo', listener: 1 };
    expect(seen).toEqual([
      { ...common, from: 'unbound', to: 'bound' },
      { ...common, from: 'bound', to: 'listening' },
      { ...common, from: 'listening', to: 'draining' },
      { ...common, from: 'draining', to: 'closed' },
    ]);
    expect([...endpoints]).toEqual([bound?.url]);
  },
);

test('a socket made by hand publishes every change of its state', async () => {
  const seen: string[] = [];
  const names = new Map<object, string>();
  const listen = (message: unknown): void => {
    const { socket: subject, from, to } = message as SocketEventMessage;
    seen.push(`${names.get(subject) ?? 'accepted'}: ${from} ${to}`);
  };
  const listener = socket('stream');
  const receiver = socket('datagram');
  names.set(listener, 'listener').set(receiver, 'receiver');
  subscribe('wellknown:socket', listen);
  await listener.bind('tcp://127.0.0.1:0');
  await listener.listen();
  await listener.close();
  await receiver.bind('udp://127.0.0.1:0');
  await receiver.close();
  unsubscribe('wellknown:socket', listen);
  expect(seen).toEqual([
    'listener: unbound binding',
    'listener: binding bound',
    'listener: bound listening',
    'listener: listening closed',
    'receiver: unbound binding',
    'receiver: binding bound',
    'receiver: bound closed',
  ]);
});

test("the status shows each open connection as its own pair of endpoints: two of one host differ in the client's port", async () => {
  const server = createServer({ protocol: echo, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const local = bound?.url.slice('tcp://'.length);
  const clients = [await connectClient(bound?.url ?? ''), await connectClient(bound?.url ?? '')];
  for (const client of clients) {
    client.send('x');
    await client.receive('x');
  }
  const [service] = (await server.status()).services;
  expect(service?.pairs).toEqual(
    clients.map((client) => ({
      local,
      remote: `127.0.0.1:${client.localPort}`,
      state: 'open',
      ageMs: expect.any(Number) as number,
      receivedBytes: 1,
      sentBytes: 1,
    })),
  );
  for (const client of clients) client.reset();
  await server.close();
});

test('the metrics are the status in the format of Prometheus, labels escaped', async () => {
  const server = createServer({ protocol: { ...echo, name: 'a "quoted" name' }, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const text = prometheusText(await server.status());
  await server.close();
  expect(text).toContain(
    `# TYPE wellknown_backlog gauge\nwellknown_backlog{service="a \\"quoted\\" name",listener="${bound?.url ?? ''}"} 0\n`,
  );
  expect(text).toContain('wellknown_workers{state="ready"} 0\n');
  // Every line is a comment or a sample.
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^}]*\})? -?[\d.]+(?:e[+-]\d+)?)$/);
});

test("the depth of the accept queue is read from the kernel's table", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000011 00:00000000 00000000     0        0 1 1
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000005 00:00000000 00000000     0        0 2 1
   2: 0100007F:0016 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 3 1`;
  expect(backlogOf(table, new Set(['0100007F:1F90']))).toBe(17);
  // It is read as far as there are listening sockets: whole lines decide.
  const lines = table.split('\n');
  const beyond = (count: number, more = ''): boolean =>
    isBeyondListening(`${lines.slice(0, count).join('\n')}\n${more}`);
  expect([beyond(1), beyond(2), beyond(2, lines[2]?.slice(0, 40)), beyond(3), isBeyondListening('')]).toEqual([
    false,
    false,
    false,
    true,
    false,
  ]);
});

/** Listens, and is stuck: it never accepts. */
const STUCK = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

test('the depth of the accept queue is known beside thousands of connections, which are not read for it', async () => {
  const [stuck, busy] = [spawn(process.execPath, ['-e', STUCK]), net.createServer().listen(0, '127.0.0.1')];
  onTestFinished(() => void stuck.kill('SIGKILL'));
  onTestFinished(() => void busy.close());
  const connect = async (port: number): Promise<void> => {
    const client = net.connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
    // What was never accepted is reset at the end.
    client.on('error', () => undefined);
  };
  const [[output]] = (await Promise.all([once(stuck.stdout, 'data'), once(busy, 'listening')])) as [[Buffer], unknown];
  const queued = Number(output.toString());
  const { port } = busy.address() as net.AddressInfo;
  await Promise.all(Array.from({ length: 300 }, () => connect(port)));
  await Promise.all([connect(queued), connect(queued), connect(queued)]);
  const text = `tcp://127.0.0.1:${queued}`;
  expect((await kernelCounters([text])).get(text)).toEqual({ backlog: 3, drops: 0 });
});
