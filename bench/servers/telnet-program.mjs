// Telnet sessions that are runs of the program in the first argument.
import { createTelnetServer, programSession } from '@wellknown/telnet';

const server = createTelnetServer(programSession(process.argv[2], { terminal: 'pty' }), {
  listen: 'tcp://127.0.0.1:0',
});
const [bound] = await server.listen();
console.log(`port ${bound.endpoint.port}`);
process.on('SIGTERM', () => void server.close({ graceMs: 0 }));
