// Every defence on; only the rates are raised, since the load comes from few sources. `node echo-wellknown.mjs
// [WORKERS]`.
import { createEchoServer } from '@wellknown/echo-udp';

const server = createEchoServer({
  listen: 'udp://127.0.0.1:0',
  workers: Number(process.argv[2] ?? 0),
  ratePerSource: 1e9,
  totalRate: 1e9,
});
const [{ url }] = await server.listen();
if (server.role !== 'worker') {
  console.log(`port ${url.split(':').at(-1)}`);
  process.on('SIGTERM', () => void server.close({ graceMs: 0 }).then(() => process.exit(0)));
  // What has come of the load, on request.
  process.on(
    'SIGUSR2',
    () => void server.status().then(({ services: [{ datagrams }] }) => console.log(JSON.stringify(datagrams))),
  );
}
