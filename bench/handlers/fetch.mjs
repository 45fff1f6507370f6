// What every server of the comparison with fetch handlers runs, unchanged: the platform's names and nothing else. For the
// rows of a server's own class that class stands in the place of `Response`.
import { Hono } from 'hono';

const encoder = new TextEncoder();
const PIECES = ['Hello, ', 'World', '!'].map((text) => encoder.encode(text));

export const handlers = {
  /** Thirteen bytes of text. */
  hello: () => new Response('Hello, World!', { headers: { 'content-type': 'text/plain' } }),
  /** A small object. */
  json: () => Response.json({ message: 'Hello, World!' }),
  /** Reads the content whole, and tells how much it was. */
  post: async (request) => {
    const content = await request.arrayBuffer();
    return new Response(`${content.byteLength}`, { headers: { 'content-type': 'text/plain' } });
  },
  /** Three pieces that are there at once. */
  stream: () => {
    let next = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (next === PIECES.length) controller.close();
        else controller.enqueue(PIECES[next++]);
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/plain' } });
  },
  /** Answers a moment later, as one that asks a cache or a database does, without the time that they take. */
  async: async () => {
    await undefined;
    return new Response('Hello, World!', { headers: { 'content-type': 'text/plain' } });
  },
  hono: honoApp().fetch,
};

/** A router, and three of middleware: one that looks at the request, one before and one after the answer. */
function honoApp() {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('x-powered-by', 'benchmark');
  });
  app.use('/api/*', async (context, next) => {
    context.set('agent', context.req.header('user-agent') ?? 'none');
    await next();
  });
  app.use('/api/*', async (context, next) => {
    context.header('cache-control', 'no-store');
    await next();
  });
  app.get('/', (context) => context.text('Hello, World!'));
  app.get('/api/users/:id', (context) =>
    context.json({ id: context.req.param('id'), page: context.req.query('page') }),
  );
  return app;
}
