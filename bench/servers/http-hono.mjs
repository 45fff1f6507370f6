import { serve } from '@hono/node-server';

// It puts its classes in the place of the platform's when it is loaded.
const { handlers } = await import('../handlers/fetch.mjs');
serve({ fetch: handlers[process.argv[2]], port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`port ${port}`));
process.on('SIGTERM', () => process.exit(0));
