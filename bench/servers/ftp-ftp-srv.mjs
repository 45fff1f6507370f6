// ftp-srv, what Node users have today. `node ftp-ftp-srv.mjs ADDRESS ROOT [FOLDER OF key.pem AND cert.pem]`
import { readFileSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { FtpSrv } from 'ftp-srv';

const [address, root, certificates] = process.argv.slice(2);
const probe = net.createServer().listen(0, address);
await new Promise((resolve) => probe.once('listening', resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => quiet };
const server = new FtpSrv({
  url: `ftp://${address}:${port}`,
  pasv_url: address,
  anonymous: true,
  log: quiet,
  ...(certificates !== undefined && {
    tls: { key: readFileSync(`${certificates}/key.pem`), cert: readFileSync(`${certificates}/cert.pem`) },
  }),
});
server.on('login', (_, resolve) => resolve({ root }));
await server.listen();
process.stdout.write(`port ${port}\n`);
process.on('SIGTERM', () => process.exit());
