// Connections and the log level over all workers, without processes.

import { describe, expect, test } from 'vitest';
import type { Logger } from '../../src/log.ts';
import { silentLog } from '../../src/log.ts';
import type { ConnectionPage, OpenConnection } from '../../src/observe/open-connections.ts';
import { PoolConnections } from '../../src/supervisor/pool-connections.ts';
import { PoolLogLevel } from '../../src/supervisor/pool-log-level.ts';
import { createFakeClock } from '../../src/testing/index.ts';
import { fakeWorker, type FakeWorker } from '../fixtures/worker-handles.ts';

const connection = (id: string): OpenConnection => ({
  id,
  service: 'http',
  worker: 1,
  local: 'a',
  remote: 'b',
  state: 'open',
});

function poolOf(...workers: FakeWorker[]) {
  const clock = createFakeClock();
  for (const worker of workers) worker.stage = 'running';
  const connections = new PoolConnections([{ name: 'http' }], { all: () => [...workers] });
  return { clock, workers, connections };
}

const answer = (worker: FakeWorker, question: number, ids: readonly string[], isLast: boolean): void =>
  worker.questions.answered({ type: 'listing', question, connections: ids.map(connection), isLast });

async function idsOf(pages: AsyncIterable<ConnectionPage>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { connections } of pages) ids.push(...connections.map(({ id }) => id));
  return ids;
}

describe('a list', () => {
  test('asks one worker after the other, for one page at a time', async () => {
    const [first, second] = [fakeWorker(1), fakeWorker(2)];
    const { connections } = poolOf(first, second);
    const listed = idsOf(connections.list({ service: 'http' }));
    await Promise.resolve();
    expect([first.told(), second.told()]).toEqual([
      [{ type: 'listing-question', question: 1, listing: 1, filter: { service: 'http' } }],
      [],
    ]);
    answer(first, 1, ['1001.1'], false);
    await new Promise(setImmediate);
    expect(first.told()).toMatchObject([{ type: 'listing-question', question: 2, listing: 1 }]);
    answer(first, 2, ['1001.2'], true);
    await new Promise(setImmediate);
    answer(second, 1, ['1002.1'], true);
    expect(await listed).toEqual(['1001.1', '1001.2', '1002.1']);
    expect([first.told(), second.told()]).toMatchObject([[], [{ type: 'listing-question', listing: 2 }]]);
  });

  test('that nobody reads to its end is given up', async () => {
    const worker = fakeWorker(1);
    const pages = poolOf(worker).connections.list({});
    const first = pages.next();
    await Promise.resolve();
    answer(worker, 1, ['1001.1'], false);
    await first;
    worker.told();
    await pages.return(undefined);
    expect(worker.told()).toEqual([{ type: 'listing-end', listing: 1 }]);
  });

  test('goes on without a worker that does not answer, and says so; one that has ended has none', async () => {
    const clock = createFakeClock();
    const [stuck, gone, well] = [fakeWorker(1, 1, clock), fakeWorker(2, 2, clock), fakeWorker(3, 3, clock)];
    const { workers, connections } = poolOf(stuck, gone, well);
    const pages = connections.list({});
    const first = pages.next();
    await Promise.resolve();
    clock.advance(1_000);
    expect(await first).toEqual({ done: false, value: { worker: 1, connections: [], answered: false } });
    const second = pages.next();
    await new Promise(setImmediate);
    workers.splice(1, 1);
    gone.questions.exited();
    await new Promise(setImmediate);
    answer(well, 1, ['1003.1'], true);
    expect(await second).toMatchObject({ value: { worker: 3, answered: true } });
  });

  test('of a service that there is not is refused before anybody is asked', () => {
    expect(() => poolOf().connections.list({ service: 'ftp' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

describe('the end of one', () => {
  test('is asked of the worker whose process it is', async () => {
    const [first, second] = [fakeWorker(1), fakeWorker(2)];
    const { connections } = poolOf(first, second);
    const closed = connections.close('1002.7', 300);
    expect([first.told(), second.told()]).toEqual([
      [],
      [{ type: 'close-connection', question: 1, connection: 7, graceMs: 300 }],
    ]);
    second.questions.answered({ type: 'connection-closed', question: 1, wasOpen: true });
    expect(await closed).toBe(true);
  });

  test('is not to be had where no worker has it', async () => {
    const worker = fakeWorker(1);
    const { connections } = poolOf(worker);
    expect([await connections.close('9.1', 0), await connections.close('nonsense', 0)]).toEqual([false, false]);
    const closed = connections.close('1001.7', 0);
    worker.questions.answered({ type: 'connection-closed', question: 1, wasOpen: false });
    expect(await closed).toBe(false);
  });

  test('has come where its worker has ended', async () => {
    const worker = fakeWorker(1);
    const { workers, connections } = poolOf(worker);
    const closed = connections.close('1001.7', 0);
    workers.length = 0;
    worker.questions.exited();
    expect(await closed).toBe(true);
  });
});

describe('the log level', () => {
  test('is changed here and in the workers that hear, and told to those that start later', () => {
    const log: Logger = { ...silentLog, level: 'info' };
    const [running, loading] = [fakeWorker(1), fakeWorker(2)];
    running.stage = 'running';
    const level = new PoolLogLevel(log, { all: () => [running, loading] });
    level.introduce(running);
    expect([level.current, running.told()]).toEqual(['info', []]);
    level.change('debug');
    expect([level.current, log.level, running.told(), loading.told()]).toEqual([
      'debug',
      'debug',
      [{ type: 'log-level', level: 'debug' }],
      [],
    ]);
    loading.stage = 'running';
    level.introduce(loading);
    expect(loading.told()).toEqual([{ type: 'log-level', level: 'debug' }]);
  });

  test('is not to be had of a logger that has none, and nothing else is taken for one', () => {
    const none = new PoolLogLevel(silentLog, { all: () => [] });
    expect(() => none.current).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
    expect(() => none.change('debug')).toThrow(expect.objectContaining({ code: 'WRONG_STATE' }));
    const log: Logger = { ...silentLog, level: 'info' };
    expect(() => new PoolLogLevel(log, { all: () => [] }).change('loud' as 'debug')).toThrow(
      "the log level is 'loud', allowed is debug, info, warn, error",
    );
    expect(log.level).toBe('info');
  });
});
