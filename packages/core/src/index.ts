// For protocol authors and for programs that embed a server. What fewer need has a name of its own:
//
//     @wellknown/core/endpoint         addresses, ranges, endpoint strings
//     @wellknown/core/socket           sockets by hand, and select
//     @wellknown/core/inetd            programs as servers, servers as programs
//     @wellknown/core/files            which calls to a disk need no thread, buffers for files
//     @wellknown/core/observe          Prometheus text, the parts of a status
//     @wellknown/core/control          the control socket
//     @wellknown/core/proxy-protocol   PROXY headers
//     @wellknown/core/cli              a program for a protocol
//     @wellknown/core/early-signals    what a program imports first
//     @wellknown/core/testing          the test kit

// A protocol: what it is, and what it is given.

export {
  defineProtocol,
  type ProtocolDescription,
  type AddressBans,
  type BanPolicy,
  type Place,
  type Protocol,
  type SecondaryConnections,
  type SecondaryListener,
  type SecondaryListenOptions,
  type SecondaryOptions,
  type ServiceContext,
  type SharedPlaces,
  type Siblings,
} from './protocol.ts';
export type { Connection } from './connection/connection.ts';
export type { Sink } from './connection/sink.ts';
export type { CloseReason, ConnectionState } from './connection/states.ts';
export type { DatagramReceiver, DatagramSocket } from './datagram/socket.ts';
export type { DatagramPeer, DatagramSource } from './datagram/peer.ts';
export type { Address } from './address/address.ts';
export { fail, ok, type Result } from './result.ts';
export { WellknownError, type ErrorCode, type Fault } from './errors.ts';
export { lateBuiltin } from './late-builtin.ts';
export type { Clock, Timer } from './time/clock.ts';
export { systemClock } from './time/system-clock.ts';
export { TokenBucket, type TokenRate } from './time/token-bucket.ts';

// A server: what it takes, and what can be asked of it.

export { createServer, serve } from './create-server.ts';
export { readWorkerData } from './supervisor/worker-data.ts';
export type { BoundEndpoint, Reloaded, Server } from './server.ts';
export { stopOnSignals, type StopOnSignals } from './stop-on-signals.ts';
export { requireKnownNames } from './option-names.ts';
export {
  DEFAULT_SERVER_LIMITS,
  SERVER_OPTION_NAMES,
  type DispatchPolicy,
  type Identity,
  type NextServices,
  type NextSettings,
  type ServerLimits,
  type ServerOptions,
  type Service,
} from './options.ts';
export {
  parseLimitsNews,
  type AddressCounts,
  type LimitsExchange,
  type LimitsExchangeEvents,
  type LimitsNews,
} from './limits-exchange.ts';
export type { SupervisionPolicy } from './supervision-policy.ts';
export type { ListenAddress } from './address/listen-target.ts';
export type { AcceptStrategy } from './listener/shared-sockets.ts';
export { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './connection/limits.ts';
export { DEFAULT_DATAGRAM_LIMITS, type DatagramCounters, type DatagramLimits } from './datagram/limits.ts';
export type { SecureInfo } from './connection/secure-info.ts';
export {
  createTlsContext,
  type TlsCertificate,
  type TlsClient,
  type TlsContext,
  type TlsOptions,
} from './connection/tls-context.ts';
export { fileProblem } from './files/file-problem.ts';
export { openAccessLog, type AccessLogFile } from './observe/access-log-file.ts';
export { consoleLog, silentLog, type Logger, type LogLevel } from './log.ts';
export type { ConnectionFilter, ConnectionPage, OpenConnection } from './observe/open-connections.ts';
export type { ServerStatus } from './observe/status.ts';

// What the channels of node:diagnostics_channel carry.

export type { ConnectionEventMessage } from './connection/connection.ts';
export type { ListenerEventMessage } from './listener/states.ts';
export type { ServerEventMessage } from './server.ts';
export type { SocketEventMessage } from './socket/socket-lifecycle.ts';
export type { WorkerEventMessage } from './supervisor/worker-exits.ts';
