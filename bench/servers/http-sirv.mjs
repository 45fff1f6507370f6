import { createServer } from 'node:http';
import sirv from 'sirv';

const files = sirv(process.argv[2], { etag: true });
const server = createServer((request, response) => files(request, response));
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
