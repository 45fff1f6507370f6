// `http-srvx.mjs DUTY [own]`: `own` answers with its FastResponse.
import { FastResponse, serve } from 'srvx';
import { handlers } from '../handlers/fetch.mjs';

const [, , duty, how] = process.argv;
if (how === 'own') globalThis.Response = FastResponse;
const fetch = handlers[duty];
const server = await serve({ fetch, port: 0, hostname: '127.0.0.1', silent: true, gracefulShutdown: false }).ready();
console.log(`port ${new URL(server.url).port}`);
process.on('SIGTERM', () => process.exit(0));
