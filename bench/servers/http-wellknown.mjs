import { createHttpServer, HttpResponse, serveFiles } from '@wellknown/http';

const headers = { 'content-type': 'text/plain' };
const handlers = {
  hello: () => new HttpResponse('Hello, World!', { headers: { 'content-type': 'text/plain' } }),
  echo: async (request) => new HttpResponse(await request.text(), { headers }),
  native: () => new Response('Hello, World!', { headers }),
};
const [, , what = 'hello'] = process.argv;
const server = createHttpServer(what === 'files' ? serveFiles(process.argv[3]) : handlers[what], {
  listen: 'tcp://127.0.0.1:0',
});
const [{ endpoint }] = await server.listen();
console.log(`port ${endpoint.port}`);
process.on('SIGTERM', () => process.exit(0));
