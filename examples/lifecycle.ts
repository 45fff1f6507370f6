// Every step of a connection by hand, on both sides: what serve() does for you. docs/lifecycle.md says what the
// kernel does.
import { socket } from '@wellknown/core/socket';

await using listener = socket('stream');
const endpoint = await listener.bind('tcp://127.0.0.1:0');
await listener.listen({ backlog: 128 });

await using client = socket('stream');
await client.connect(endpoint);
await using peer = await listener.accept();

await client.write('hello\n');
console.log(await peer.readLine(), 'from', peer.remote);
await peer.write('goodbye\n');
await peer.shutdown('write');
console.log(await client.readLine());
