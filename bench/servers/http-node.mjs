// The peer: node:http as its documentation shows it. `echo` answers with the content of the request.
import { createServer } from 'node:http';

const hello = (request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('Hello, World!');
};
const echo = (request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'text/plain');
    response.end(Buffer.concat(chunks).toString());
  });
};
const server = createServer(process.argv[2] === 'echo' ? echo : hello);
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
