// Serves a folder; anyone may change it.
import process from 'node:process';
import { createFtpServer, diskFileSystem } from '@wellknown/ftp';

const server = createFtpServer({
  fileSystem: diskFileSystem(process.argv[2]),
  authenticate: () => ({ rights: 'full' }),
  listen: 'tcp://127.0.0.1:0',
});
const [bound] = await server.listen();
process.stdout.write(`port ${new URL(bound.url).port}\n`);
process.on('SIGTERM', () => process.exit());
