// A service that is an ordinary program: `node sorter.ts tcp://127.0.0.1:8097`, then `printf 'b\na\n' | nc -N 127.0.0.1
// 8097`.
//
// A process is started for each connection, with the connection as its standard input and output; sort(1) has never
// heard of sockets. Who is there stands in the environment, as tcpserver and s6 have it. The server itself reads no
// byte.
import { createExecServer } from '@wellknown/core/inetd';
import { type Server } from '@wellknown/core';

const SCRIPT = 'echo "$PROTO $TCPREMOTEIP port $TCPREMOTEPORT: send lines, then end" && exec sort';

export const createSorter = (listen: string): Server =>
  createExecServer({
    program: 'sh',
    arguments: ['-c', SCRIPT],
    listen,
    environment: { LC_ALL: 'C' },
    limits: { maxConnections: 20, maxConnectionsPerAddress: 5 },
  });

if (process.argv[2] !== undefined) {
  await createSorter(process.argv[2]).listen();
  console.log('ready');
}
