// RFC 867: tells the time and hangs up. `node daytime.ts tcp://127.0.0.1:8013` serves it from two worker processes.
import { defineProtocol, serve } from '@wellknown/core';

export const daytime = defineProtocol({
  name: 'daytime',
  port: 13,
  async connection(peer) {
    await peer.write(`${new Date().toISOString()}\r\n`);
  },
});

if (process.argv[2] !== undefined) {
  const server = await serve(daytime, { listen: process.argv[2], workers: 2 });
  if (server.role === 'primary') console.log('ready');
}
