import { serve } from '@wellknown/core';
import { httpProtocol, HttpResponse } from '@wellknown/http';

const protocol = httpProtocol(() => new HttpResponse('Hello, World!', { headers: { 'content-type': 'text/plain' } }));
const server = await serve(protocol, { listen: 'tcp://127.0.0.1:0' });
const { services } = await server.status();
console.log(`port ${services[0].endpoints[0].split(':').at(-1)}`);
process.on('SIGTERM', () => process.exit(0));
