// What the primary does that accepts for its workers, when it can hold no more.

import type net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { bindListener } from '../../src/listener/listener.ts';
import { Dispatcher, type TurnedAway } from '../../src/supervisor/dispatcher.ts';
import { connectClient, eventually } from '../../src/testing/index.ts';
import { connect, exchange, start } from '../fixtures/identify.ts';

async function dispatcherOf(verdicts: ('serve' | 'refuse' | 'drop')[], maxWaiting: number, workers = 0) {
  const turnedAway: [TurnedAway, boolean][] = [];
  const sent: number[] = [];
  const dispatcher = new Dispatcher({
    policy: 'round-robin',
    maxWaiting,
    targets: () => Array.from({ length: workers }, (_, index) => ({ workerId: index + 1, slot: index + 1 })),
    send: (_workerId, connection) => void sent.push(connection),
    descriptors: { limit: 100, verdict: () => verdicts.shift() ?? 'serve' },
    turnAway(socket, reason, isLast) {
      turnedAway.push([reason, isLast]);
      socket.destroy();
    },
    failed: () => undefined,
  });
  const bound = await bindListener({ scheme: 'tcp', host: '127.0.0.1', port: 0 });
  onTestFinished(() => dispatcher.close());
  await dispatcher.listen((bound.socket as { handle: net.Socket }).handle, 8, 0);
  const url = `tcp://127.0.0.1:${(bound.endpoint as { port: number }).port}`;
  const arrive = async () => {
    const before = dispatcher.counters().accepted + sent.length;
    const client = await connectClient(url);
    onTestFinished(() => client.reset());
    await eventually(() => dispatcher.counters().accepted + sent.length > before);
    return client;
  };
  return { dispatcher, turnedAway, sent, arrive };
}

test('connections wait for a worker up to the limit, and the next one is turned away and counted', async () => {
  const { dispatcher, turnedAway, arrive } = await dispatcherOf([], 2);
  await arrive();
  await arrive();
  expect(turnedAway).toEqual([]);
  await arrive();
  expect(turnedAway).toEqual([['queue-limit', false]]);
  expect(dispatcher.counters()).toEqual({ open: 0, waiting: 2, accepted: 3, closed: { 'queue-limit': 1 } });
});

test('with hardly any descriptors left connections are turned away and counted, and served again once there are', async () => {
  const { dispatcher, turnedAway, arrive } = await dispatcherOf(['serve', 'refuse', 'drop', 'serve'], 8);
  for (let count = 0; count < 4; count += 1) await arrive();
  expect(turnedAway).toEqual([
    ['descriptor-limit', false],
    ['descriptor-limit', true],
  ]);
  expect(dispatcher.counters()).toEqual({ open: 0, waiting: 2, accepted: 4, closed: { 'descriptor-limit': 2 } });
});

test('what is on its way to a worker when the primary stops, and comes back, is closed', async () => {
  const { dispatcher, sent, arrive } = await dispatcherOf([], 8, 1);
  const returned = await arrive();
  const orphan = await arrive();
  dispatcher.close();
  dispatcher.returned(sent[0] ?? 0);
  expect(await returned.receiveAll()).toBe('');
  dispatcher.exited(1);
  expect(await orphan.receiveAll()).toBe('');
});

test('who is turned away by the primary is told in the words of the protocol, and the log says it once', async () => {
  // Room in the kernel for all of them at once: a connection that it has to ask for again comes behind later ones.
  const program = await start('--workers', '1', '--accept', 'dispatch', '--max-connections', '1', '--backlog', '4');
  const first = await connect(program.url);
  const second = await connectClient(program.url);
  for (let count = 0; count < 3; count += 1) await connectClient(program.url);
  for (let count = 0; count < 2; count += 1) {
    const next = await connectClient(program.url);
    expect(await next.receiveAll()).toBe('refused queue-limit\n');
  }
  await exchange(first.client, 'still served');
  first.client.end();
  expect(await second.receive('\n')).toMatch(/^\d+\n$/);
  expect(program.stderr().match(/are turned away/g)).toHaveLength(1);
});
