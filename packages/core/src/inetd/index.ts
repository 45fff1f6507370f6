// Serving with programs of others, and being one: inetd's `nowait` and `wait`, and one connection on standard input.

export { createExecServer, type ExecServerOptions } from './exec-server.ts';
export { execProtocol } from './exec-protocol.ts';
export { createWaitServer, type WaitServerOptions } from './wait-server.ts';
export { serveInetdConnection } from './inetd-connection.ts';
