// Every accept strategy with real processes: who accepts, who is spared, and what is lost when a worker dies.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { connectClient, eventually } from '../../src/testing/index.ts';
import { offersReusePort } from '../../src/kernel/stream-handle.ts';
import { connect, exchange, isAlive, start, workersOf } from '../fixtures/identify.ts';

/** Those that promise to lose nothing that a worker has not accepted. */
const LOSSLESS = ['inherit', 'inherit-shared', ...(offersReusePort ? ['inherit-sharded'] : []), 'dispatch'];
const ALL = [...LOSSLESS, 'cluster-rr'];

describe.each(ALL)('--accept %s', (strategy) => {
  test('serves from every worker, over tcp and unix, and drains on TERM', async () => {
    const program = await start(
      '--workers',
      '2',
      '--accept',
      strategy,
      '--listen',
      'tcp://127.0.0.1:0',
      '--listen',
      `unix:@wellknown-${strategy}-${process.pid}`,
    );
    const workers = await workersOf(program.url, 2);
    const unix = await connect(`unix:@wellknown-${strategy}-${process.pid}`);
    expect(workers).toContain(unix.worker);
    await exchange(unix.client, 'over unix');
    unix.client.end();
    expect(await program.stop()).toBe(0);
    expect(workers.map(isAlive)).toEqual([false, false]);
  });
});

// Not of cluster-rr: a connection that waits in a full worker is not taken over by another, and one that is handed to a
// dying worker hangs for ever. That is why it is not the default.
describe.each(LOSSLESS)('--accept %s', (strategy) => {
  test('keeps the total limit over all workers, and serves who waits', async () => {
    const program = await start('--workers', '2', '--accept', strategy, '--max-connections', '2');
    const first = await connect(program.url);
    const second = await connect(program.url);
    const third = await connectClient(program.url);
    const greeted = third.receive('\n');
    await exchange(first.client, 'the third waits');
    first.client.end();
    await first.client.receiveAll();
    await greeted;
    await exchange(second.client, 'undisturbed');
    second.client.reset();
    third.reset();
  });

  test('goes on after a worker has died', async () => {
    const program = await start('--workers', '2', '--accept', strategy);
    const workers = await workersOf(program.url, 2);
    process.kill(workers[0] ?? 0, 'SIGKILL');
    await eventually(async () => {
      const { client, worker } = await connect(program.url);
      client.reset();
      return !workers.includes(worker);
    });
  });
});

describe.each(LOSSLESS)('--accept %s loses nothing', (strategy) => {
  test('and keeps no client waiting when a worker drains by TERM: its successor does not wait for its end', async () => {
    const program = await start('--workers', '2', '--accept', strategy, '--drain-timeout', '60');
    const workers = await workersOf(program.url, 2);
    const { client: held, worker: leaving } = await connect(program.url);
    process.kill(leaving, 'SIGTERM');
    await eventually(async () => {
      const { client, worker } = await connect(program.url);
      client.reset();
      return !workers.includes(worker);
    });
    await exchange(held, 'in flight');
    held.end();
    await held.receiveAll();
    await eventually(() => !isAlive(leaving));
  });

  test('when a stopped worker is killed while connections wait', async () => {
    const program = await start('--workers', '2', '--accept', strategy);
    const [first = 0, second = 0] = await workersOf(program.url, 2);
    process.kill(first, 'SIGSTOP');
    process.kill(second, 'SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 40 }, () => connectClient(program.url)));
    const served = Promise.all(
      clients.map(async (client, index) => {
        const worker = Number((await client.receive('\n')).trim());
        await exchange(client, `word ${index}`);
        client.end();
        return worker;
      }),
    );
    process.kill(first, 'SIGKILL');
    process.kill(second, 'SIGCONT');
    expect(await served).not.toContain(first);
  });

  test('when every worker is killed and connections come before the replacements', async () => {
    const program = await start('--workers', '2', '--accept', strategy);
    const workers = await workersOf(program.url, 2);
    for (const worker of workers) process.kill(worker, 'SIGKILL');
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(program.url)));
    for (const client of clients) {
      expect(workers).not.toContain(Number((await client.receive('\n')).trim()));
      client.end();
    }
  });
});

describe.runIf(offersReusePort)('--accept inherit-sharded, with a worker that is stopped', () => {
  test('has its new connections served by another long before it is killed, and serves again when it goes on', async () => {
    const program = await start('--workers', '2', '--accept', 'inherit-sharded');
    const [stopped = 0] = await workersOf(program.url, 2);
    process.kill(stopped, 'SIGSTOP');
    await eventually(() => readFileSync(`/proc/${stopped}/stat`, 'utf8').includes(') T '));
    // Half of them come to its socket.
    const found = await Promise.all(Array.from({ length: 40 }, () => connect(program.url)));
    for (const { client } of found) client.reset();
    expect(found.map(({ worker }) => worker)).not.toContain(stopped);
    expect(isAlive(stopped)).toBe(true);
    process.kill(stopped, 'SIGCONT');
    expect(await workersOf(program.url, 2)).toContain(stopped);
  });
});

describe.runIf(!offersReusePort)('--accept inherit-sharded (on this Node)', () => {
  test('is refused with the reason and what to do', async () => {
    await expect(start('--workers', '2', '--accept', 'inherit-sharded')).rejects.toThrow(
      /status 1 .*inherit-sharded needs SO_REUSEPORT, .* use Node 22\.12 or newer on Linux/s,
    );
  });
});

describe('--accept dispatch', () => {
  const workerOfNew = async (url: string) => (await connect(url)).worker;

  test('round-robin takes turns', async () => {
    const program = await start('--workers', '2', '--accept', 'dispatch', '--dispatch', 'round-robin');
    const seen = [
      await workerOfNew(program.url),
      await workerOfNew(program.url),
      await workerOfNew(program.url),
      await workerOfNew(program.url),
    ];
    expect([seen[2], seen[3]]).toEqual([seen[0], seen[1]]);
    expect(new Set(seen).size).toBe(2);
  });

  test('least-connections goes to who has fewest', async () => {
    const program = await start('--workers', '2', '--accept', 'dispatch', '--dispatch', 'least-connections');
    const first = await connect(program.url);
    const second = await connect(program.url);
    expect(second.worker).not.toBe(first.worker);
    first.client.end();
    await first.client.closed;
    await eventually(async () => {
      const next = await connect(program.url);
      next.client.reset();
      return next.worker === first.worker;
    });
  });

  test('source-hash keeps a peer on its worker', async () => {
    const program = await start('--workers', '2', '--accept', 'dispatch', '--dispatch', 'source-hash');
    const seen = await Promise.all(Array.from({ length: 8 }, () => workerOfNew(program.url)));
    expect(new Set(seen).size).toBe(1);
  });
});
