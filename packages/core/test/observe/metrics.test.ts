// The metrics and the log by interface, with the libraries that they are made for: prom-client and pino as they come.

import { pino } from 'pino';
import prometheus from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, defineProtocol, type ServerStatus } from '../../src/index.ts';
import { prometheusText } from '../../src/observe/index.ts';
import { connectClient, eventually, startProgram, type Client, type Program } from '../../src/testing/index.ts';
import { connect, exchange } from '../fixtures/identify.ts';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/core/test/fixtures/observed-program.ts');

const echo = defineProtocol({
  name: 'echo',
  port: 7,
  open: (connection) => ({ data: (chunk) => void connection.send(Buffer.from(chunk)) }),
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** The values of one metric, by its labels in the order of the text. */
function valuesOf(text: string, name: string): Record<string, number> {
  const lines = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))];
  return Object.fromEntries(lines.map(([, labels = '', value]) => [labels, Number(value)]));
}

const sum = (values: Record<string, number>): number => Object.values(values).reduce((a, b) => a + b, 0);

describe('prom-client', () => {
  test("is passed as it is, with a registry of the user's: connections by listener, worker and close reason", async () => {
    const registry = new prometheus.Registry();
    const server = createServer(
      { protocol: echo, listen: ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'] },
      { metrics: { ...prometheus, registers: [registry] } },
    );
    closing.push(() => server.close({ graceMs: 0 }));
    const [one, other] = (await server.listen()).map(({ url }) => url);
    const staying = await connectClient(one ?? '');
    staying.send('x');
    await staying.receive('x');
    const leaving = await connectClient(other ?? '');
    leaving.end();
    await leaving.receiveAll();
    await eventually(async () => (await server.status()).services[0]?.connections.closed.finished === 1);
    const text = await registry.metrics();
    expect(valuesOf(text, 'wellknown_connections_accepted_total')).toEqual({
      [`service="echo",listener="${one ?? ''}",worker="0"`]: 1,
      [`service="echo",listener="${other ?? ''}",worker="0"`]: 1,
    });
    expect(valuesOf(text, 'wellknown_connections_open')).toEqual({
      [`service="echo",listener="${one ?? ''}",worker="0"`]: 1,
      [`service="echo",listener="${other ?? ''}",worker="0"`]: 0,
    });
    expect(valuesOf(text, 'wellknown_connections_closed_total')).toEqual({
      [`service="echo",listener="${other ?? ''}",worker="0",reason="finished"`]: 1,
    });
    expect(valuesOf(text, 'wellknown_backlog')).toEqual({
      [`service="echo",listener="${one ?? ''}"`]: 0,
      [`service="echo",listener="${other ?? ''}"`]: 0,
    });
    expect(text).toContain('# TYPE wellknown_connections_closed_total counter');
    staying.reset();
  });

  test('says the same as the text that is made of the status without it', async () => {
    const registry = new prometheus.Registry();
    const server = createServer(
      { protocol: { ...echo, name: 'a "quoted" name' }, listen: 'tcp://127.0.0.1:0' },
      { metrics: { ...prometheus, registers: [registry] } },
    );
    closing.push(() => server.close({ graceMs: 0 }));
    await server.listen();
    const sorted = (text: string): string[] =>
      text
        .split('\n')
        // What changes from one moment to the next.
        .filter((line) => line !== '' && !/^(?:# \w+ )?wellknown_(?:event_loop|resident_memory)/.test(line))
        .sort();
    expect(sorted(await registry.metrics())).toEqual(sorted(prometheusText(await server.status())));
  });

  test('a second of a blocked event loop is in the histogram of its delay, and in the status', async () => {
    const registry = new prometheus.Registry();
    const server = createServer(
      { protocol: echo, listen: 'tcp://127.0.0.1:0' },
      { metrics: { ...prometheus, registers: [registry] } },
    );
    closing.push(() => server.close({ graceMs: 0 }));
    await server.listen();
    const slowSeconds = async (): Promise<number> => {
      const buckets = valuesOf(await registry.metrics(), 'wellknown_event_loop_delay_seconds_bucket');
      return (buckets['le="+Inf",worker="0"'] ?? 0) - (buckets['le="0.1",worker="0"'] ?? 0);
    };
    await eventually(async () => {
      const beganAtMs = performance.now();
      while (performance.now() - beganAtMs < 200);
      return (await slowSeconds()) >= 1;
    });
    const { busy, delayMs } = (await server.status()).eventLoop;
    expect(delayMs.max).toBeGreaterThan(100);
    expect(delayMs.mean).toBeLessThanOrEqual(delayMs.max);
    expect(busy).toBeGreaterThan(0.2);
  });

  test('two servers of one process share its metrics, and one that has ended is no longer told of', async () => {
    const library = { ...prometheus, registers: [new prometheus.Registry()] };
    const first = createServer(
      { protocol: { ...echo, name: 'first' }, listen: 'tcp://127.0.0.1:0' },
      { metrics: library },
    );
    const second = createServer(
      { protocol: { ...echo, name: 'second' }, listen: 'tcp://127.0.0.1:0' },
      { metrics: library },
    );
    closing.push(() => second.close());
    await first.listen();
    await second.listen();
    const services = async (): Promise<string[]> =>
      [...(await library.registers[0]!.metrics()).matchAll(/^wellknown_backlog\{service="(\w+)"/gm)].map(
        ([, name = '']) => name,
      );
    expect(await services()).toEqual(['first', 'second']);
    await first.close();
    expect(await services()).toEqual(['second']);
  });

  test('two servers of one process: the process is told of once, and no counter falls when one of them ends', async () => {
    const registry = new prometheus.Registry();
    const library = { ...prometheus, registers: [registry] };
    const start = async () => {
      const server = createServer(
        { protocol: echo, listen: 'unix:@metrics-' + String(process.pid) },
        { metrics: library },
      );
      await server.listen();
      return server;
    };
    const counted = async (...labels: string[]): Promise<number | undefined> =>
      valuesOf(await registry.metrics(), 'wellknown_connections_accepted_total')[labels.join(',')];
    const serveOne = async () => {
      const client = await connectClient('unix:@metrics-' + String(process.pid));
      client.end();
      await client.receiveAll();
    };
    const labels = `service="echo",listener="unix:@metrics-${process.pid}",worker="0"`;
    const first = await start();
    await serveOne();
    expect(await counted(labels)).toBe(1);
    // The second takes over: from here on both are told of.
    const firstClosed = first.close();
    const second = await start();
    closing.push(() => second.close());
    expect(await counted(labels)).toBe(1);
    await firstClosed;
    await serveOne();
    await eventually(async () => (await counted(labels)) === 2);
    const third = createServer(
      { protocol: { ...echo, name: 'third' }, listen: 'tcp://127.0.0.1:0' },
      { metrics: library },
    );
    closing.push(() => third.close());
    await third.listen();
    const memory = valuesOf(await registry.metrics(), 'wellknown_resident_memory_bytes')['worker="0"'];
    expect(memory).toBeLessThan(process.memoryUsage.rss() * 1.5);
  });

  test('two services of one protocol have series of their own', async () => {
    const server = createServer([
      { protocol: echo, listen: 'tcp://127.0.0.1:0' },
      { protocol: echo, listen: 'tcp://127.0.0.1:0' },
      { protocol: echo, listen: 'tcp://127.0.0.1:0', name: 'echo-2' },
    ]);
    closing.push(() => server.close());
    const at = await server.listen();
    expect(at.map(({ service }) => service)).toEqual(['echo', 'echo-3', 'echo-2']);
    const series = prometheusText(await server.status())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/ \S+$/, ''));
    expect(series).toEqual([...new Set(series)]);
    expect(() =>
      createServer([
        { protocol: echo, listen: 0, name: 'same' },
        { protocol: echo, listen: 0, name: 'same' },
      ]),
    ).toThrow("option 'name' is same, allowed is a name that no other service has");
  });

  test('what is no metrics library is refused by name', () => {
    expect(() => createServer({ protocol: echo }, { metrics: { Counter: prometheus.Counter } as never })).toThrow(
      "option 'metrics' has no constructor Gauge, allowed is what prom-client exports: Counter, Gauge and Histogram",
    );
  });
});

describe('over several workers', () => {
  async function start(
    options: object = {},
    nodeOptions: readonly string[] = [],
  ): Promise<
    Program & { urls: readonly string[]; metrics: () => Promise<string>; status: () => Promise<ServerStatus> }
  > {
    const program = await startProgram([...nodeOptions, ...PROGRAM, JSON.stringify(options)]);
    closing.push(() => program.stop());
    const [http = ''] = program.endpoints.http ?? [];
    return {
      ...program,
      urls: program.endpoints.echo ?? [],
      metrics: async () => (await fetch(`${http}/metrics`)).text(),
      status: async () => (await (await fetch(`${http}/status`)).json()) as ServerStatus,
    };
  }

  test('the primary has the sums, by listener and by worker, and no counter falls when a worker crashes or is retired', async () => {
    const program = await start();
    const clients: Client[] = [];
    const workers = new Set<number>();
    await eventually(async () => {
      const { client, worker } = await connect(program.urls[clients.length % 2] ?? '');
      clients.push(client);
      workers.add(worker);
      return workers.size === 2;
    });
    const count = clients.length;
    const before = await program.metrics();
    expect(sum(valuesOf(before, 'wellknown_connections_accepted_total'))).toBe(count);
    expect(sum(valuesOf(before, 'wellknown_connections_open'))).toBe(count);
    expect(
      new Set(
        Object.keys(valuesOf(before, 'wellknown_connections_open')).map((labels) => /worker="(\d)"/.exec(labels)?.[1]),
      ),
    ).toEqual(new Set(['1', '2']));

    clients.at(-1)?.send('crash\n');
    await eventually(async () => {
      const { supervision, workers } = await program.status();
      return supervision.ended.crashed === 1 && workers.map(({ at }) => at).join() === 'ready,ready';
    });
    program.signal('SIGTTOU');
    await eventually(async () => (await program.status()).supervision.ended.drained === 1);
    const after = await program.metrics();
    expect(sum(valuesOf(after, 'wellknown_connections_accepted_total'))).toBe(count);
    expect(
      sum(valuesOf(after, 'wellknown_connections_open')) + sum(valuesOf(after, 'wellknown_connections_closed_total')),
    ).toBe(count);
    const reasons = Object.keys(valuesOf(after, 'wellknown_connections_closed_total')).map(
      (labels) => /reason="([\w-]+)"/.exec(labels)?.[1],
    );
    expect(reasons).toContain('worker-lost');
    expect(valuesOf(after, 'wellknown_workers_ended_total')).toEqual({ 'reason="crashed"': 1, 'reason="drained"': 1 });
    expect(valuesOf(after, 'wellknown_workers_started_total')).toEqual({ '': 3 });
    for (const client of clients) client.reset();
  });

  test('a worker that is retired while its program is still being loaded ends at once, and counts as drained', async () => {
    const hang = 'if (process.env.WELLKNOWN_WORKER_SLOT === "2") await new Promise(() => setInterval(() => {}, 1000))';
    const program = await start({ workers: 1, drainTimeoutMs: 60_000 }, [
      '--import',
      `data:text/javascript,${encodeURIComponent(hang)}`,
    ]);
    program.signal('SIGTTIN');
    await eventually(async () => (await program.status()).workers.length === 2);
    program.signal('SIGTTOU');
    await eventually(async () => (await program.status()).workers.length === 1);
    expect((await program.status()).supervision.ended).toEqual({ drained: 1 });
  });

  test('a worker that is killed while it drains is told of, and counts as crashed', async () => {
    const program = await start({ workers: 2, drainTimeoutMs: 60_000 });
    const clients = await Promise.all(Array.from({ length: 40 }, () => connect(program.urls[0] ?? '')));
    program.signal('SIGTTOU');
    const draining = async () => (await program.status()).workers.find(({ at }) => at === 'draining')?.pid;
    await eventually(async () => (await draining()) !== undefined);
    process.kill((await draining()) ?? 0, 'SIGKILL');
    await eventually(async () => (await draining()) === undefined);
    expect((await program.status()).supervision.ended).toEqual({ crashed: 1 });
    expect(program.stderr()).toContain('a worker has ended while it drained, and its connections with it');
    for (const { client } of clients) client.reset();
    await program.stop();
    expect(program.stderr().match(/a worker has ended/g)).toHaveLength(1);
  });

  test("the delay and the load of each worker's event loop are there, and the depth of the queue while the only worker is stopped", async () => {
    const program = await start({ workers: 1 });
    const { client, worker } = await connect(program.urls[0] ?? '');
    await eventually(
      async () =>
        'le="+Inf",worker="1"' in valuesOf(await program.metrics(), 'wellknown_event_loop_delay_seconds_bucket'),
    );
    expect(Object.keys(valuesOf(await program.metrics(), 'wellknown_event_loop_busy_ratio'))).toEqual([
      'worker="0"',
      'worker="1"',
    ]);
    process.kill(worker, 'SIGSTOP');
    const waiting = [await connectClient(program.urls[0] ?? ''), await connectClient(program.urls[0] ?? '')];
    const metrics = await program.metrics();
    process.kill(worker, 'SIGCONT');
    expect(valuesOf(metrics, 'wellknown_backlog')).toEqual({
      [`service="echo",listener="${program.urls[0] ?? ''}"`]: 2,
      [`service="echo",listener="${program.urls[1] ?? ''}"`]: 0,
    });
    // It could not answer: its last beat is shown.
    expect(sum(valuesOf(metrics, 'wellknown_connections_open'))).toBe(1);
    for (const one of [client, ...waiting]) one.reset();
  });

  test('what dispatch holds for workers without room is counted as waiting, on the account of the primary', async () => {
    const program = await start({ workers: 1, accept: 'dispatch', limits: { maxConnections: 1 } });
    const { client } = await connect(program.urls[0] ?? '');
    const connections = async () => (await program.status()).services[0]?.connections;
    const heldByPrimary = async (): Promise<number> =>
      (await program.status()).services[0]?.byWorker.find(({ slot }) => slot === 0)?.listeners[0]?.connections
        .waiting ?? 0;
    // The first ones may reach the worker before its word that it is full has reached the primary.
    const waiting: Client[] = [];
    await eventually(async () => {
      waiting.push(await connectClient(program.urls[0] ?? ''));
      await eventually(async () => (await connections())?.accepted === waiting.length + 1);
      return (await heldByPrimary()) > 0;
    });
    expect(await connections()).toMatchObject({ open: 1, waiting: waiting.length });
    client.reset();
    for (const one of waiting) {
      await one.receive('\n');
      one.reset();
    }
    await eventually(async () => (await connections())?.open === 0);
    expect(await connections()).toMatchObject({
      open: 0,
      waiting: 0,
      accepted: waiting.length + 1,
      closed: { 'peer-reset': waiting.length + 1 },
    });
  });

  test('every change of a server, its listeners and its workers is published where it happens', async () => {
    const program = await start();
    const events = (): Record<string, string | number | undefined>[] =>
      [...program.stderr().matchAll(/^EVENT (.*)$/gm)].map(
        ([, text = '{}']) => JSON.parse(text) as Record<string, string | number | undefined>,
      );
    const of = (channel: string, role?: string): string[] =>
      events()
        .filter((event) => event.channel === channel && (role === undefined || event.role === role))
        .map(({ from, to, slot, why }) => [slot, from, to, why].filter((part) => part !== undefined).join(' '));
    await exchangeOnce(program.urls[0] ?? '');
    program.signal('SIGHUP');
    await eventually(async () => (await program.status()).supervision.ended.drained === 2);
    await program.stop();
    expect(of('server', 'primary')).toEqual(['starting', 'listening', 'reloading', 'listening', 'draining', 'ended']);
    expect(of('server', 'worker').filter((to) => to === 'listening')).toHaveLength(4);
    expect(of('server', 'worker').filter((to) => to === 'ended')).toHaveLength(4);
    expect(of('worker').filter((text) => text.startsWith('1 '))).toEqual(
      expect.arrayContaining(['1 starting', '1 ready', '1 draining', '1 ended drained']),
    );
    expect(of('worker').filter((text) => text.endsWith('ended drained'))).toHaveLength(4);
    const primary = of('listener', 'primary');
    expect(new Set(primary)).toEqual(
      new Set(['unbound bound', 'bound listening', 'listening draining', 'draining closed']),
    );
    expect(primary.filter((text) => text === 'draining closed').length).toBe(
      primary.filter((text) => text === 'unbound bound').length,
    );
    // With a socket for each slot a worker may stand in for another, and gives the socket back without draining.
    const worker = of('listener', 'worker').filter((text) => text !== 'listening closed');
    expect(new Set(worker)).toEqual(new Set(['bound listening', 'listening draining', 'draining closed']));
    expect(of('listener', 'worker').filter((text) => text.endsWith(' closed'))).toHaveLength(
      worker.filter((text) => text === 'bound listening').length,
    );
  });

  test('a worker that is full publishes that its listeners are suspended, and that they listen again', async () => {
    const program = await start({ workers: 1, limits: { maxConnections: 1 } });
    const seen = (text: string) => program.stderr().includes(text);
    const { client } = await connect(program.urls[0] ?? '');
    await eventually(() => seen('"from":"listening","to":"suspended"'));
    client.reset();
    await eventually(() => seen('"from":"suspended","to":"listening"'));
    expect(seen('"from":"suspended","to":"listening"')).toBe(true);
  });

  const exchangeOnce = async (url: string): Promise<void> => {
    const { client } = await connect(url);
    await exchange(client, 'hello');
    client.end();
    await client.receiveAll();
  };
});

test('a pino logger is passed as it is: fields, words, levels and errors arrive', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const server = createServer(
    {
      protocol: defineProtocol({
        name: 'failing',
        port: 7,
        connection: () => Promise.reject(new Error('broken on purpose')),
      }),
      listen: 'tcp://127.0.0.1:0',
    },
    { log },
  );
  const [bound] = await server.listen();
  const client = await connectClient(bound?.url ?? '');
  await eventually(() => lines.some(({ msg }) => msg === 'the handler failed'));
  client.reset();
  await server.close();
  const [failure, ...others] = lines.filter(({ level }) => level === 50);
  expect(others).toEqual([]);
  expect(failure).toMatchObject({
    msg: 'the handler failed',
    protocol: 'failing',
    err: { type: 'Error', message: 'broken on purpose' },
  });
});
