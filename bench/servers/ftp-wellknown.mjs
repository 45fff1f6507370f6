// Serves a folder; anyone may change it. `node ftp-wellknown.mjs ADDRESS ROOT [FOLDER OF key.pem AND cert.pem]`
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createFtpServer, diskFileSystem } from '@wellknown/ftp';
import { tellMemory } from './tell-memory.mjs';

const [address, root, certificates] = process.argv.slice(2);
const server = createFtpServer({
  fileSystem: diskFileSystem(root),
  authenticate: () => ({ rights: 'full' }),
  listen: `tcp://${address}:0`,
  limits: { maxConnectionsPerAddress: Infinity },
  ...(certificates !== undefined && {
    tls: { key: readFileSync(`${certificates}/key.pem`), cert: readFileSync(`${certificates}/cert.pem`) },
  }),
});
tellMemory();
const [bound] = await server.listen();
process.stdout.write(`port ${new URL(bound.url).port}\n`);
process.on('SIGTERM', () => process.exit());
