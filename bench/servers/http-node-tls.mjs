// The reference over TLS: node:http2 as its documentation shows it, which speaks HTTP/1.1 as well where the client does.
// `http-node-tls.mjs hello CERTIFICATES` or `http-node-tls.mjs files CERTIFICATES ROOT`.
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { join } from 'node:path';

const [, , duty, certificates, root = ''] = process.argv;
const handlers = {
  hello: (request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end('Hello, World!');
  },
  files: (request, response) => {
    const file = join(root, request.url);
    response.setHeader('content-length', statSync(file).size);
    createReadStream(file).pipe(response);
  },
};
const read = (name) => readFileSync(join(certificates, name));
const server = createSecureServer({ allowHTTP1: true, key: read('key.pem'), cert: read('cert.pem') }, handlers[duty]);
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
