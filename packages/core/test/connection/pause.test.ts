import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { createServer, defineProtocol, type Connection, type Server } from '../../src/index.ts';
import { eventually } from '../../src/testing/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

test.each(['tcp', 'tls', 'secondary'] as const)(
  'a connection (%s) that is paused in the turn it is attached to reads nothing before it is resumed',
  async (kind) => {
    let served: Connection | undefined;
    let secondaryPort = 0;
    let receivedBytes = 0;
    const serve = (connection: Connection): void => {
      connection.attach({ data: (chunk) => void (receivedBytes += chunk.length) });
      connection.pause();
      served = connection;
    };
    const protocol = defineProtocol({
      name: 'paused',
      port: 0,
      async connection(connection, { secondary }) {
        if (kind === 'secondary') {
          const listener = await secondary.listen(connection, { connectTimeoutMs: 60_000 });
          secondaryPort = listener?.port ?? 0;
          if (listener !== undefined) serve(await listener.accept());
        } else serve(connection);
        await connection.closed;
      },
    });
    const scheme = kind === 'tls' ? 'tls' : 'tcp';
    const options = kind === 'tls' ? { tls: makeCertificate('paused.example') } : {};
    const server = createServer({ protocol, listen: `${scheme}://127.0.0.1:0` }, options);
    running.push(server);
    const [bound] = await server.listen();
    const connect = async (port: number): Promise<net.Socket> => {
      const to = { host: '127.0.0.1', port };
      const client = kind === 'tls' ? tls.connect({ ...to, rejectUnauthorized: false }) : net.connect(to);
      client.on('error', () => undefined);
      await once(client, kind === 'tls' ? 'secureConnect' : 'connect');
      return client;
    };
    const first = await connect(Number(new URL(bound?.url ?? '').port));
    await eventually(() => (kind === 'secondary' ? secondaryPort : served) !== (kind === 'secondary' ? 0 : undefined));
    const client = kind === 'secondary' ? await connect(secondaryPort) : first;
    await eventually(() => served !== undefined);
    await new Promise((resolve) => client.write('bytes', resolve));
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(receivedBytes).toBe(0);
    served?.resume();
    await eventually(() => receivedBytes === 5);
    client.destroy();
    first.destroy();
  },
);
