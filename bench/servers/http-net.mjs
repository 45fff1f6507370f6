// The floor of files on Node: no HTTP to speak of, the file in memory, one write for each request. `http-net.mjs ROOT`.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [, , root] = process.argv;
const files = new Map(
  readdirSync(root).map((name) => {
    const content = readFileSync(join(root, name));
    return [name, { content, head: `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n` }];
  }),
);
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  // One read is one request, as wrk asks.
  socket.on('data', (chunk) => {
    const { head, content } = files.get(chunk.latin1Slice(5, chunk.indexOf(' ', 5))) ?? {};
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(content);
    socket.uncork();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
