import { afterEach, describe, expect, test, vi } from 'vitest';
import { consoleLog, createServer, defineProtocol, silentLog, type ServerOptions } from '../src/index.ts';
import { connectClient, eventually } from '../src/testing/index.ts';

const failing = defineProtocol({
  name: 'failing',
  port: 0,
  connection: () => Promise.reject(new Error('no database')),
});

afterEach(() => vi.restoreAllMocks());

const watchConsole = () => {
  const methods = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => undefined),
  );
  return {
    calls: (): unknown[][] => methods.flatMap((method) => method.mock.calls),
    error: methods[3]!,
  };
};

/** One connection whose handler fails, from the start of the server to its end. */
async function serveOneFailure(options: ServerOptions): Promise<void> {
  const server = createServer({ protocol: failing, listen: 'tcp://127.0.0.1:0' }, options);
  const [bound] = await server.listen();
  const client = await connectClient(bound?.url ?? '');
  await client.receiveAll().catch(() => undefined);
  client.end();
  await eventually(async () => (await server.status()).services[0]?.connections.open === 0);
  await server.close({ graceMs: 0 });
}

describe('a server without a log', () => {
  test('shows an error of the handler on the console, with its stack', async () => {
    const shown = watchConsole();
    await serveOneFailure({});
    expect(shown.calls()).toEqual(shown.error.mock.calls);
    expect(shown.calls()).toEqual([
      [
        '%s',
        'the handler failed',
        expect.objectContaining({ protocol: 'failing' }),
        expect.objectContaining({ message: 'no database', stack: expect.stringContaining('log.test.ts') as string }),
      ],
    ]);
  });

  test('is silent with silentLog', async () => {
    const shown = watchConsole();
    await serveOneFailure({ log: silentLog });
    expect(shown.calls()).toEqual([]);
  });
});

test('the console gets warnings and errors, and no debug or info', () => {
  const shown = watchConsole();
  consoleLog.debug({}, 'a');
  consoleLog.info({}, 'b');
  consoleLog.warn({}, 'c %s');
  consoleLog.error({ x: 1 }, 'd');
  expect(shown.calls()).toEqual([
    ['%s', 'c %s'],
    ['%s', 'd', { x: 1 }],
  ]);
});
