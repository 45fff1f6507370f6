import { expect, test } from 'vitest';
import { defineProtocol, serve, type ServiceContext } from '../../src/index.ts';
import { PendingWork } from '../../src/accept/pending-work.ts';
import { connectClient, createFakeClock } from '../../src/testing/index.ts';

const NOTHING = Promise.resolve();

function deferred(): {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
} {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}

/** Whether a promise has settled by the time everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a drain waits until all work has settled, whether it succeeds or fails', async () => {
  const work = new PendingWork();
  const { promise: good, resolve } = deferred();
  const { promise: bad, reject } = deferred();
  work.add(good);
  work.add(bad);
  const drained = work.drain(1_000, createFakeClock(), NOTHING);
  resolve();
  expect(await isSettled(drained)).toBe(false);
  reject(new Error('handled by its caller'));
  expect(await drained).toBe(0);
});

test('work that is added while connections still end is waited for too', async () => {
  const work = new PendingWork();
  const { promise: producers, resolve: producersEnd } = deferred();
  const { promise: late, resolve } = deferred();
  const drained = work.drain(1_000, createFakeClock(), producers);
  work.add(late);
  producersEnd();
  expect(await isSettled(drained)).toBe(false);
  resolve();
  expect(await drained).toBe(0);
});

test('at the deadline the rest is given up and counted, not before', async () => {
  const work = new PendingWork();
  const clock = createFakeClock();
  work.add(new Promise(() => undefined));
  const drained = work.drain(1_000, clock, NOTHING);
  clock.advance(999);
  expect(await isSettled(drained)).toBe(false);
  clock.advance(1);
  expect(await drained).toBe(1);
});

test('a second drain with less time ends the first', async () => {
  const work = new PendingWork();
  work.add(new Promise(() => undefined));
  const drained = work.drain(60_000, createFakeClock(), NOTHING);
  expect(await isSettled(drained)).toBe(false);
  expect(await work.drain(0, createFakeClock(), NOTHING)).toBe(1);
  expect(await drained).toBe(1);
});

test('a server closes only when the work of a connection that is long gone is done', async () => {
  const { promise, resolve } = deferred();
  const protocol = defineProtocol({
    name: 'later',
    port: 7,
    connection(_, context: ServiceContext) {
      context.work.add(promise);
    },
  });
  const server = await serve(protocol, { listen: 'tcp://127.0.0.1:0' });
  const { services } = await server.status();
  const client = await connectClient(services[0]?.endpoints[0] ?? '');
  client.end();
  await client.closed;
  const closed = server.close({ graceMs: 20_000 });
  expect(await isSettled(closed)).toBe(false);
  resolve();
  await closed;
});
