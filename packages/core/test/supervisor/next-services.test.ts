// Which services a reload has changed, and how workers of two generations are spoken to.

import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../src/testing/index.ts';
import { defineProtocol, type Service } from '../../src/index.ts';
import { resolveOptions } from '../../src/resolved-options.ts';
import { Generations } from '../../src/supervisor/generations.ts';
import { WorkerHandle } from '../../src/supervisor/worker-handle.ts';
import type { FromPrimary } from '../../src/supervisor/worker-messages.ts';

const echo = defineProtocol({ name: 'echo', port: 7, open: () => ({ data: () => undefined }) });
const service = (name: string, revision?: string): Service => ({
  protocol: echo,
  name,
  listen: 'tcp://127.0.0.1:0',
  ...(revision === undefined ? {} : { revision }),
});
const resolved = (...services: readonly Service[]) => [...resolveOptions(services, {}).services];

describe('numbers of services', () => {
  test('stay for the same name and revision, in any order, and are new for others', () => {
    const generations = new Generations(resolved(service('a', '1'), service('b', '1'), service('c', '1')), undefined);
    expect(generations.number(resolved(service('c', '1'), service('a', '2'), service('d', '1')))).toEqual([2, 3, 4]);
  });

  test('are new where there is no revision', () => {
    const generations = new Generations(resolved(service('a')), undefined);
    expect(generations.number(resolved(service('a')))).toEqual([1]);
  });

  test('of a generation that failed are never those of a later one', () => {
    const generations = new Generations(resolved(service('a', '1')), 'first');
    generations.begin(2, {
      services: generations.number(resolved(service('a', '2'))),
      sockets: new Map(),
      workerData: 'x',
    });
    generations.failed(2);
    expect(generations.of(2)).toBe(generations.current);
    expect(generations.current.workerData).toBe('first');
    expect(generations.number(resolved(service('a', '2')))).toEqual([2]);
  });
});

describe('a number', () => {
  const begin = (generations: Generations, number: number, ...services: readonly Service[]): void => {
    const numbers = generations.number(resolved(...services));
    generations.begin(number, { services: numbers, sockets: new Map(), workerData: undefined });
  };

  test('is free once neither a generation nor a living worker has it, and what the service had open is given back', () => {
    let released = 0;
    const first = { ...service('a', '1'), release: () => void (released += 1) };
    const services = resolved(first);
    const generations = new Generations(services, undefined);
    const before = generations.current;
    begin(generations, 2, service('a', '2'));
    expect(generations.release([])).toEqual([]);
    generations.succeeded(2);
    expect(generations.release([before])).toEqual([]);
    const [gone] = generations.release([]);
    gone?.service.release?.();
    expect([gone?.number, released]).toEqual([0, 1]);
    expect(generations.number(resolved(service('a', '3'), service('b', '1')))).toEqual([0, 2]);
    // Not before it is known what becomes of those.
    expect(generations.release([])).toEqual([]);
    generations.dropNumbered();
    expect(generations.release([]).map(({ number }) => number)).toEqual([0, 2]);
  });

  test('that stays is that of the first service: what the same one brings along again is given back at once', () => {
    const told: string[] = [];
    const same = (who: string) => resolved({ ...service('a', '1'), release: () => void told.push(who) });
    const generations = new Generations(same('first'), undefined);
    expect(generations.number(same('second'))).toEqual([0]);
    expect(told).toEqual(['second']);
  });
});

describe('a worker of a later generation', () => {
  const told: FromPrimary[] = [];
  const worker = new WorkerHandle(
    { slot: 1, workerId: 1 },
    { pid: 1, send: (message) => void told.push(message), kill: () => undefined },
    createFakeClock(),
    { services: [4, 2], sockets: new Map([[9, { service: 2, url: 'tcp://127.0.0.1:7' }]]), workerData: undefined },
  );

  test('is told of its services by its own numbers, and of others nothing', () => {
    worker.send({ type: 'withdraw', service: 2, listener: 9 });
    worker.send({ type: 'withdraw', service: 0, listener: 3 });
    expect(told.splice(0)).toEqual([{ type: 'withdraw', service: 1, listener: 9 }]);
  });

  test("speaks of them by the primary's", () => {
    expect(worker.translated({ type: 'full', service: 0 })).toEqual({ type: 'full', service: 4 });
    const share = (name: string) => ({ listeners: [], counters: { [name]: 1 } });
    const answer = worker.translated({
      type: 'status',
      question: 1,
      services: [share('four'), share('two')].map((one) => ({ share: one, pairs: [] })),
    });
    const services: readonly unknown[] = answer.type === 'status' ? answer.services : [];
    expect(Object.keys(services)).toEqual(['2', '4']);
    expect(services[2]).toMatchObject({ share: { counters: { two: 1 } } });
  });

  test('serves from the sockets of its generation alone', () => {
    expect(worker.serviceOf(9, 0)).toBe(2);
    expect(worker.serviceOf(3, 0)).toBeUndefined();
    expect([worker.has(2), worker.has(0)]).toEqual([true, false]);
  });
});
