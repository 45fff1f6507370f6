// For programs that serve, and for protocols built on core.

export { createServer, serve } from './create-server.ts';
export { createExecServer, type ExecServerOptions } from './exec-server.ts';
export { createWaitServer, type WaitServerOptions } from './wait-server.ts';
export { prometheusText } from './prometheus.ts';
export type { MetricSettings, MetricsLibrary } from './metrics-library.ts';
export type {
  ConnectionEventMessage,
  ListenerEventMessage,
  ServerEventMessage,
  SocketEventMessage,
  WorkerEventMessage,
} from './diagnostics.ts';
export type { ListenerState } from './listener-states.ts';
export { serveStandardInput } from './standard-input.ts';
export { openControlSocket } from './control/control-server.ts';
export { parseIdentity, type Identity } from './run-as.ts';
export type { BoundEndpoint, Server } from './server.ts';
export {
  DEFAULT_SERVER_LIMITS,
  type AcceptStrategy,
  type ServerLimits,
  type ServerOptions,
  type Service,
} from './options.ts';
export type { DispatchPolicy } from './dispatch-policy.ts';
export type { ArbiterPolicy } from './arbiter.ts';
export type {
  ConnectionCounters,
  EventLoopStatus,
  ListenerStatus,
  ServerStatus,
  ServiceStatus,
  WorkerShare,
} from './status.ts';
export type { WorkerEnd } from './worker-chronicle.ts';
export { DEFAULT_DATAGRAM_LIMITS, type DatagramCounters, type DatagramLimits } from './datagram-limits.ts';
export { connectDatagram, type DatagramPeerOptions } from './datagram-peer.ts';
export {
  defineProtocol,
  type DatagramPeer,
  type DatagramReceiver,
  type DatagramSocket,
  type DatagramSource,
  type Protocol,
  type ServiceContext,
} from './protocol.ts';
export { Connection, DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './connection.ts';
export type { Sink } from './sink.ts';
export type { CloseReason, ConnectionState } from './connection-state.ts';
export { formatEndpoint, parseEndpoint, type Endpoint, type EndpointProblem } from './endpoint.ts';
export { formatAddress, isIpv4, isIpv6, limitKey, normalizeIp, type Address, type IpFamily } from './address.ts';
export { WellknownError, type ErrorCode, type Fault } from './errors.ts';
export { fail, ok, type Result } from './result.ts';
export { silentLog, type Logger } from './log.ts';
export type { Clock, Timer } from './clock.ts';
export { systemClock } from './system-clock.ts';
export { createWheelEntry, TimerWheel, type WheelEntry } from './timer-wheel.ts';
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
} from './tls-context.ts';
export {
  createProxyParser,
  PROXY_TLV,
  type ProxyHeader,
  type ProxyParser,
  type ProxyStep,
  type ProxyTlv,
} from './proxy-protocol.ts';
export { buildProxyHeader } from './proxy-builder.ts';
export { proxyDetails, type ProxyDetails } from './proxy-details.ts';
export { createAccessRules, type AccessRules, type AccessVerdict } from './access-rules.ts';
export { CidrTable } from './cidr-table.ts';
