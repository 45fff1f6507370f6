// What `wellknown status` shows to a person.

import { createServer, defineProtocol, type ServerStatus } from '@wellknown/core';
import { connectClient, eventually } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { statusTable } from '../src/status-table.ts';

const hold = defineProtocol({ name: 'hold', port: 0, open: () => ({ data: () => undefined }) });

/** The status of a process that serves so many connections. */
async function statusWith(connections: number): Promise<ServerStatus> {
  const server = createServer({ protocol: hold, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const clients = await Promise.all(Array.from({ length: connections }, () => connectClient(bound?.url ?? '')));
  await eventually(async () => (await server.status()).services[0]?.connections.open === connections);
  const status = await server.status();
  for (const client of clients) client.reset();
  await server.close({ graceMs: 0 });
  return status;
}

test('workers stand in the order of their slots, however they have come', async () => {
  const status = await statusWith(0);
  const worker = (slot: number): ServerStatus['workers'][number] => ({
    slot,
    pid: 100 + slot,
    at: 'ready',
    generation: 1,
    eventLoop: status.eventLoop,
    memory: status.memory,
  });
  const shown = statusTable({ ...status, workers: [worker(3), worker(1), worker(2)] });
  expect([...shown.matchAll(/^(\d) +10\d /gm)].map(([, slot]) => slot)).toEqual(['1', '2', '3']);
});

test('what the supervisor is doing is told where it is more than serving', async () => {
  const status = await statusWith(0);
  expect(statusTable(status)).toMatch(/^supervisor \d+\n/);
  expect(statusTable({ ...status, state: 'reloading' })).toMatch(/^supervisor \d+, reloading\n/);
});

test('twenty connections are shown, and who wants more is told how', async () => {
  expect(statusTable(await statusWith(20))).not.toContain('shown of');
  const shown = statusTable(await statusWith(21));
  expect(shown.match(/^hold +127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ +open$/gm)).toHaveLength(20);
  expect(shown).toMatch(/^20 shown of 21 open; 'wellknown connections' lists all of them$/m);
});

test('numbers end below each other, and each further endpoint of a service has a line', async () => {
  const status = await statusWith(0);
  const [service] = status.services;
  if (service === undefined) throw new Error('there is one');
  const endpoints = ['tcp://127.0.0.1:1', 'tcp://[::1]:1'];
  const busy = { ...service, endpoints, connections: { ...service.connections, open: 1234 } };
  const shown = statusTable({ ...status, services: [{ ...service, endpoints: ['udp://:7'] }, busy] });
  expect(shown).toMatch(/^hold +udp:\/\/:7 +0 +0 +0 +0 +0\/0$/m);
  expect(shown).toMatch(/^hold +tcp:\/\/127\.0\.0\.1:1 +1234 +0 +0 +0 +-$/m);
  expect(shown).toMatch(/^ +tcp:\/\/\[::1\]:1$/m);
  const lines = shown.split('\n').filter((line) => line.startsWith('hold') || line.startsWith('service'));
  expect(lines.map((line) => /^\S+ +(?:listens on|\S+) +\S+/.exec(line)?.[0].length)).toEqual([32, 32, 32]);
});
