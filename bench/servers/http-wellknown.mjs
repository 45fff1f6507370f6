// `http-wellknown.mjs DUTY CLASSES`: a handler with the platform's names in the way of the program (`globals`), with Node's
// own classes (`native`), or with this package's by name (`own`). `files ROOT` serves files. A folder of `key.pem` and
// `cert.pem` behind them makes it TLS.
import { readFileSync } from 'node:fs';
import { createHttpServer, HttpResponse, serveFiles } from '@wellknown/http';

const [, , duty = 'hello', how = 'globals', certificates] = process.argv;
if (how === 'globals') await import('@wellknown/http/globals');
if (how === 'own') globalThis.Response = HttpResponse;
const { handlers } = await import('../handlers/fetch.mjs');
const handler = duty === 'files' ? serveFiles(how) : handlers[duty];
const read = (name) => readFileSync(`${certificates}/${name}`);
const server = createHttpServer(
  handler,
  certificates === undefined
    ? { listen: 'tcp://127.0.0.1:0' }
    : { listen: 'tls://127.0.0.1:0', tls: { key: read('key.pem'), cert: read('cert.pem') } },
);
const [{ endpoint }] = await server.listen();
console.log(`port ${endpoint.port}`);
process.on('SIGTERM', () => process.exit(0));
