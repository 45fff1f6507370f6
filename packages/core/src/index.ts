// For programs that serve, and for protocols built on core.

export { createServer, serve } from './create-server.ts';
export type { BoundEndpoint, Server } from './server.ts';
export { DEFAULT_SERVER_LIMITS, type ServerLimits, type ServerOptions, type Service } from './options.ts';
export type { ServerStatus, ServiceStatus } from './status.ts';
export type { DatagramCounters } from './datagram-socket.ts';
export { defineProtocol, type DatagramReceiver, type DatagramSocket, type DatagramSource, type Protocol, type ServiceContext } from './protocol.ts';
export { Connection, DEFAULT_CONNECTION_LIMITS, type ConnectionLimits, type Sink } from './connection.ts';
export type { CloseReason, ConnectionState } from './connection-state.ts';
export { formatEndpoint, parseEndpoint, type Endpoint, type EndpointProblem } from './endpoint.ts';
export { formatAddress, isIpv4, isIpv6, limitKey, normalizeIp, type Address } from './address.ts';
export { WellknownError, type ErrorCode, type Fault } from './errors.ts';
export { fail, ok, type Result } from './result.ts';
export { silentLog, type Logger } from './log.ts';
export type { Clock, Timer } from './clock.ts';
export { systemClock } from './system-clock.ts';
export { createWheelEntry, TimerWheel, type WheelEntry } from './timer-wheel.ts';
