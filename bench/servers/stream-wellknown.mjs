// The same echo on core, with its limits, deadlines and counters. `node stream-wellknown.mjs [WORKERS]`.
import { createServer, defineProtocol } from '@wellknown/core';
import { tellMemory } from './tell-memory.mjs';

class Echo {
  constructor(connection) {
    this.connection = connection;
  }
  data(chunk) {
    if (!this.connection.send(chunk)) this.connection.pause();
  }
  drained() {
    this.connection.resume();
  }
}

const protocol = defineProtocol({ name: 'echo', port: 7, open: (connection) => new Echo(connection) });
const server = createServer(
  { protocol, listen: 'tcp://127.0.0.1:0' },
  {
    workers: Number(process.argv[2] ?? 0),
    limits: { maxConnections: 200_000, maxConnectionsPerAddress: Infinity, idleTimeoutMs: 3_600_000 },
  },
);
// Before the port is told: the signal would end a process that does not listen for it.
tellMemory();
const [{ url }] = await server.listen();
if (server.role !== 'worker') {
  console.log(`port ${url.split(':').at(-1)}`);
  process.on('SIGTERM', () => void server.close({ graceMs: 0 }).then(() => process.exit(0)));
}
