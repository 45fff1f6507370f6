// A Hono application, unchanged, on this server. `wellknown http --handler examples/hono.ts` serves it too, with
// workers.
import { createHttpServer } from '@wellknown/http';
import { Hono } from 'hono';

const app = new Hono();
app.get('/', (context) => context.text('Hello from Hono\n'));
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }));
app.post('/echo', async (context) => context.json(await context.req.json()));
export default app;

if (process.argv[2] !== undefined) {
  const server = createHttpServer((request) => app.fetch(request), { listen: process.argv[2] });
  const [bound] = await server.listen();
  console.log(`listening ${bound?.url ?? ''}`);
}
