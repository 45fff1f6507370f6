import { afterEach, describe, expect, test } from 'vitest';
import { createServer, defineProtocol, type Server, type ServerOptions, type Service } from '../src/index.ts';
import { withAddress, withVerbs } from '../src/server.ts';
import { makeCertificate } from '../../../test/certificates.ts';

const web = defineProtocol({ name: 'web', port: 80, urlScheme: 'http', connection: () => undefined });

let server: Server | undefined;
afterEach(() => server?.close());

async function listening(service: Service, options: ServerOptions = {}): Promise<Server> {
  server = createServer(service, options);
  await server.listen();
  return server;
}

describe('where a server is reached', () => {
  test('is known once it listens, with the port that the system gave', async () => {
    server = createServer({ protocol: web, listen: 0 });
    expect([server.url, server.port]).toEqual([undefined, undefined]);
    const [endpoint] = await server.listen();
    expect(server.port).toBeGreaterThan(0);
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(endpoint?.url).toBe(`tcp://127.0.0.1:${server.port}`);
  });

  test('is a URL over TLS too, and of this machine where all addresses are served', async () => {
    const { cert, key } = makeCertificate('localhost');
    const { url, port } = await listening({ protocol: web, listen: 'tls://:0' }, { tls: { cert, key } });
    expect(url).toBe(`https://localhost:${port}`);
  });

  test('is the endpoint where the protocol has no scheme, and for datagrams', async () => {
    const chat = await listening({ protocol: { ...web, urlScheme: undefined } as never, listen: 0 });
    expect(chat.url).toBe(`tcp://127.0.0.1:${chat.port}`);
    await chat.close();
    const pings = defineProtocol({ name: 'pings', port: 7, datagrams: () => () => undefined });
    const { url, port } = await listening({ protocol: { ...pings, urlScheme: 'ping' }, listen: 0 });
    expect(url).toBe(`udp://127.0.0.1:${port}`);
  });

  test('is a path without a port on a unix socket', async () => {
    const { url, port } = await listening({ protocol: web, listen: `unix:@wellknown-url-${process.pid}` });
    expect([url, port]).toEqual([`unix:@wellknown-url-${process.pid}`, undefined]);
  });
});

test('a server with a verb of its own still knows where it is reached', async () => {
  const bound = { service: 'web', endpoint: { scheme: 'tcp', host: '::1', port: 5 }, url: 'tcp://[::1]:5' } as const;
  const inner = { role: 'standalone', listen: async () => [bound] } as unknown as Server;
  const outer = withVerbs(withAddress(inner, 'http'), { role: 'primary' });
  expect(outer.url).toBeUndefined();
  await outer.listen();
  expect([outer.role, outer.url, outer.port]).toEqual(['primary', 'http://[::1]:5', 5]);
});
