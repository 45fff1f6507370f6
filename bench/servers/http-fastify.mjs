import fastify from 'fastify';

const app = fastify();
app.addContentTypeParser('text/plain', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.get('/', (_, reply) => void reply.type('text/plain').send('Hello, World!'));
app.post('/', (request, reply) => void reply.type('text/plain').send(`${request.body.byteLength}`));
console.log(`port ${new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port}`);
process.on('SIGTERM', () => process.exit(0));
