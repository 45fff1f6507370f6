import { promises as dns } from 'node:dns';
import { describe, expect, test, vi } from 'vitest';
import { createServer, defineProtocol } from '../../src/index.ts';
import { connectClient } from '../../src/testing/index.ts';
import { endpointsToBind } from '../../src/address/endpoints-to-bind.ts';

/** What the name is resolved to; every address of 127/8 is this machine's, 192.0.2.1 is nobody's. */
function resolves(...addresses: readonly string[]): void {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  vi.spyOn(dns, 'lookup').mockResolvedValue(found as never);
}
const named = { scheme: 'tcp', host: 'site.example', port: 8080 } as const;

describe('an endpoint with a name', () => {
  test('is one for each of its addresses', async () => {
    resolves('127.0.0.1', '127.0.0.2', '127.0.0.1');
    expect(await endpointsToBind(named)).toEqual([
      { ...named, host: '127.0.0.1' },
      { ...named, host: '127.0.0.2' },
    ]);
    expect(await endpointsToBind({ ...named, scheme: 'udp' })).toEqual([
      { ...named, scheme: 'udp', host: '127.0.0.1' },
      { ...named, scheme: 'udp', host: '127.0.0.2' },
    ]);
  });

  test('leaves out those that this machine has not', async () => {
    resolves('192.0.2.1', '127.0.0.2');
    expect(await endpointsToBind(named)).toEqual([{ ...named, host: '127.0.0.2' }]);
  });

  test('stays as it is where none can be bound, so that the bind says why', async () => {
    resolves('192.0.2.1');
    expect(await endpointsToBind(named)).toEqual([named]);
    vi.spyOn(dns, 'lookup').mockRejectedValue(new Error('ENOTFOUND'));
    expect(await endpointsToBind(named)).toEqual([named]);
  });

  test('is served on all of them', async () => {
    resolves('127.0.0.1', '127.0.0.2');
    const protocol = defineProtocol({
      name: 'greeter',
      port: 1,
      connection: async (peer) => {
        await peer.write('hello');
      },
    });
    const server = createServer({ protocol, listen: 'tcp://site.example:0' });
    const endpoints = await server.listen();
    expect(endpoints.map(({ endpoint }) => 'host' in endpoint && endpoint.host)).toEqual(['127.0.0.1', '127.0.0.2']);
    for (const { url } of endpoints) {
      const client = await connectClient(url);
      expect(await client.receiveAll()).toBe('hello');
      client.end();
    }
    await server.close();
  });
});

test.each(['', '127.0.0.1', '::1'])("an endpoint with the host '%s' is not looked up", async (host) => {
  const lookup = vi.spyOn(dns, 'lookup');
  expect(await endpointsToBind({ ...named, host })).toEqual([{ ...named, host }]);
  expect(lookup).not.toHaveBeenCalled();
});
