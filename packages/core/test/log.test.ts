import { afterEach, describe, expect, test, vi } from 'vitest';
import { consoleLog, createServer, defineProtocol, silentLog, type ServerOptions } from '../src/index.ts';
import { logWith } from '../src/log.ts';
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
        expect.objectContaining({ service: 'failing', protocol: 'failing' }),
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

test('a protocol’s lines say whose they are: the name of the service', async () => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object, message: string) => lines.push({ ...fields, message }) };
  const talkative = defineProtocol({
    name: 'talkative',
    port: 0,
    open: (connection, context) => {
      context.log.info({ user: 'ann' }, 'hello');
      context.log.info({ service: 'its own' }, 'hello');
      connection.end();
      return { data: () => undefined };
    },
  });
  const server = createServer({ name: 'front', protocol: talkative, listen: 'tcp://127.0.0.1:0' }, { log });
  const [bound] = await server.listen();
  await (await connectClient(bound?.url ?? '')).receiveAll();
  await server.close({ graceMs: 0 });
  expect(lines).toEqual([
    { service: 'front', user: 'ann', message: 'hello' },
    { service: 'its own', message: 'hello' },
  ]);
});

test('an error in place of fields keeps its stack', () => {
  const said: object[] = [];
  const error = new Error('x');
  logWith({ ...silentLog, error: (fields) => said.push(fields) }, { service: 'a' }).error(error, 'failed');
  expect(said).toEqual([{ service: 'a', err: error }]);
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
