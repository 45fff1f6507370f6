import { FastResponse, serve } from 'srvx';

const headers = { 'content-type': 'text/plain' };
const fetch =
  process.argv[2] === 'echo'
    ? async (request) => new FastResponse(await request.text(), { headers })
    : () => new FastResponse('Hello, World!', { headers });
const server = await serve({ fetch, port: 0, hostname: '127.0.0.1', silent: true, gracefulShutdown: false }).ready();
console.log(`port ${new URL(server.url).port}`);
process.on('SIGTERM', () => process.exit(0));
