// Every defence on; only the rate of one source is raised, since one client makes all of the load.
import { createEchoServer } from '@wellknown/echo-udp';

const server = createEchoServer({ listen: 'udp://127.0.0.1:0', ratePerSource: 1e9 });
const [{ url }] = await server.listen();
console.log(`port ${url.split(':').at(-1)}`);
process.on('SIGTERM', () => process.exit(0));
