import { expect, test } from 'vitest';
import { createHttpServer, HttpResponse } from '../src/index.ts';

const handler = (): HttpResponse => new HttpResponse('ok');

test.each([
  [{ port: 8080 }, "the option 'port' is unknown: 'listen' takes a port, or { port, host }"],
  [{ host: '::' }, "the option 'host' is unknown: 'listen' takes { port, host }"],
  [{ acesslog: 1 }, "the option 'acesslog' is unknown: meant may be 'accessLog'"],
  [{ limits: { maxBodyByte: 1 } }, "the limit 'maxBodyByte' is unknown: meant may be 'maxBodyBytes'"],
])('createHttpServer refuses %j', (options, message) => {
  expect(() => createHttpServer(handler, options as object)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message }) as Error,
  );
});

test('a port as a number and limits of both kinds are taken', async () => {
  await using server = createHttpServer(handler, { listen: 0, limits: { maxBodyBytes: 5, maxConnections: 5 } });
  const [bound] = await server.listen();
  const url = (bound?.url ?? '').replace('tcp:', 'http:');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  expect((await fetch(url, { headers: { connection: 'close' } })).status).toBe(200);
});
