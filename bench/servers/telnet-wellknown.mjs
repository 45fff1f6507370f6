// Telnet sessions in character mode that echo every key, in one process.

import { createTelnetServer } from '@wellknown/telnet';

const server = createTelnetServer(
  async (session) => {
    await session.ready;
    await session.setMode('character');
    await session.print('ready');
    for await (const bytes of session.raw()) await session.write(bytes);
  },
  { listen: 'tcp://127.0.0.1:0', workers: 0, limits: { maxConnections: 20_000, maxConnectionsPerAddress: 20_000 } },
);
const [bound] = await server.listen();
console.log(`port ${bound.endpoint.port}`);
process.on('SIGTERM', () => void server.close({ graceMs: 0 }).then(() => process.exit(0)));
