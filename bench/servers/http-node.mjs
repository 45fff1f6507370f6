// The peer: node:http as its documentation shows it.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('Hello, World!');
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
