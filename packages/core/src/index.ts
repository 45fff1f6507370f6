// For programs that serve, and for protocols built on core.

export type { DatagramReceiver, DatagramSocket } from './datagram/socket.ts';
export type { AcceptStrategy } from './listener/shared-sockets.ts';
export type { WorkerEventMessage } from './supervisor/worker-exits.ts';
export type { SocketEventMessage } from './socket/socket-lifecycle.ts';
export { createServer, serve } from './create-server.ts';
export { createExecServer, type ExecServerOptions } from './inetd/exec-server.ts';
export { createWaitServer, type WaitServerOptions } from './inetd/wait-server.ts';
export { prometheusText } from './observe/prometheus-text.ts';
export type { MetricSettings, MetricsLibrary } from './observe/prom-client-adapter.ts';
export type { ListenerEventMessage, ListenerState } from './listener/states.ts';
export { serveInetdConnection } from './inetd/inetd-connection.ts';
export { openControlSocket } from './control/server.ts';
export { parseIdentity } from './supervisor/run-as.ts';
export type { BoundEndpoint, Server, ServerEventMessage } from './server.ts';
export {
  DEFAULT_SERVER_LIMITS,
  type DispatchPolicy,
  type Identity,
  type ServerLimits,
  type ServerOptions,
  type Service,
  type SupervisionPolicy,
} from './options.ts';
export type {
  ConnectionCounters,
  EventLoopStatus,
  ListenerStatus,
  ServerStatus,
  ServiceStatus,
  WorkerEnd,
  WorkerShare,
} from './observe/status.ts';
export { DEFAULT_DATAGRAM_LIMITS, type DatagramCounters, type DatagramLimits } from './datagram/limits.ts';
export { connectDatagram, type DatagramPeer, type DatagramPeerOptions, type DatagramSource } from './datagram/peer.ts';
export {
  defineProtocol,
  type Protocol,
  type SecondaryConnections,
  type SecondaryListener,
  type SecondaryListenOptions,
  type SecondaryOptions,
  type ServiceContext,
} from './protocol.ts';
export type { Connection, ConnectionEventMessage } from './connection/connection.ts';
export { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './connection/limits.ts';
export type { Sink } from './connection/sink.ts';
export type { CloseReason, ConnectionState } from './connection/states.ts';
export { formatEndpoint, parseEndpoint, type Endpoint, type EndpointProblem } from './address/endpoint.ts';
export {
  formatAddress,
  isIpv4,
  isIpv6,
  limitKey,
  normalizeIp,
  type Address,
  type IpFamily,
} from './address/address.ts';
export { WellknownError, type ErrorCode, type Fault } from './errors.ts';
export { fail, ok, type Result } from './result.ts';
export { silentLog, type Logger } from './log.ts';
export type { Clock, Timer } from './time/clock.ts';
export { systemClock } from './time/system-clock.ts';
export { TokenBucket, type TokenRate } from './time/token-bucket.ts';
export { createWheelEntry, TimerWheel, type WheelEntry } from './time/timer-wheel.ts';
export { socket } from './socket/socket.ts';
export { select, type Selected, type SelectOptions, type SelectSets } from './socket/select.ts';
export type { StreamSocket, StreamSocketOptions, VerbOptions } from './socket/stream-socket.ts';
export type { Datagram, UdpSocket, UdpSocketOptions } from './socket/udp-socket.ts';
export {
  DATAGRAM_TRANSITIONS,
  DATAGRAM_VERBS,
  STREAM_TRANSITIONS,
  STREAM_VERBS,
  type DatagramEvent,
  type DatagramState,
  type DatagramVerb,
  type StreamEvent,
  type StreamState,
  type StreamVerb,
} from './socket/socket-state.ts';
export {
  createTlsContext,
  type SecureInfo,
  type TlsCertificate,
  type TlsContext,
  type TlsOptions,
} from './connection/tls-context.ts';
export {
  createProxyParser,
  PROXY_TLV,
  type ProxyHeader,
  type ProxyParser,
  type ProxyStep,
  type ProxyTlv,
} from './proxy-protocol/parser.ts';
export { buildProxyHeader } from './proxy-protocol/builder.ts';
export { proxyDetails, type ProxyDetails } from './proxy-protocol/details.ts';
export { createAccessRules, type AccessRules, type AccessVerdict } from './address/access-rules.ts';
export { CidrTable } from './address/cidr-table.ts';
