// An echo service over TCP and UDP in one loop, as it was written with select(2): no callback and no event. `node
// echo-by-select.ts`.
import { formatEndpoint } from '@wellknown/core/endpoint';
import { select, socket, type StreamSocket } from '@wellknown/core/socket';

await using listener = socket('stream');
const endpoint = await listener.bind('tcp://127.0.0.1:0');
await listener.listen();
await using datagrams = socket('datagram');
const udp = await datagrams.bind('udp://127.0.0.1:0');
console.log(`listening echo ${formatEndpoint(endpoint)}\nlistening echo ${formatEndpoint(udp)}\nready`);

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const peers = new Set<StreamSocket>();

while (!stop.signal.aborted) {
  const ready = await select(
    { readable: [...peers, datagrams], acceptable: [listener] },
    { signal: stop.signal },
  ).catch(() => undefined);
  for (const one of ready?.acceptable ?? []) peers.add(await one.accept());
  for (const one of ready?.readable ?? []) {
    if (one.type === 'datagram') {
      const { data, from } = await one.receiveFrom();
      await one.sendTo(data, from);
    } else {
      // A peer that sends and takes nothing is cut off: waiting for it would make every other peer wait.
      const data = await one.read().catch(() => undefined);
      if (data !== undefined && one.isReady('write')) void one.write(data).catch(() => undefined);
      else if (peers.delete(one)) await one.close({ abort: data !== undefined });
    }
  }
}
for (const one of peers) await one.close({ abort: true });
