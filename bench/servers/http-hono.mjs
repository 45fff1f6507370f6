import { serve } from '@hono/node-server';

const headers = { 'content-type': 'text/plain' };
const fetch =
  process.argv[2] === 'echo'
    ? async (request) => new Response(await request.text(), { headers })
    : () => new Response('Hello, World!', { headers });
serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`port ${port}`));
process.on('SIGTERM', () => process.exit(0));
