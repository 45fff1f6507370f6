// The reference: node:http as its documentation shows it, which knows no fetch handlers. It gives the same answers.
import { createServer } from 'node:http';

const text = (response, content) => {
  response.setHeader('content-type', 'text/plain');
  response.end(content);
};
const json = (response, value) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
};
const handlers = {
  hello: (request, response) => text(response, 'Hello, World!'),
  async: async (request, response) => {
    await undefined;
    text(response, 'Hello, World!');
  },
  json: (request, response) => json(response, { message: 'Hello, World!' }),
  post: (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => text(response, `${Buffer.concat(chunks).byteLength}`));
  },
  stream: (request, response) => {
    response.setHeader('content-type', 'text/plain');
    for (const piece of ['Hello, ', 'World', '!']) response.write(piece);
    response.end();
  },
  // No router and no middleware: what they do, by hand.
  hono: (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const [, id] = /^\/api\/users\/([^/]+)$/.exec(url.pathname) ?? [];
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-powered-by', 'benchmark');
    json(response, { id, page: url.searchParams.get('page') });
  },
};
const server = createServer(handlers[process.argv[2] ?? 'hello']);
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
