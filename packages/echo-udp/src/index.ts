export { createEchoServer, type EchoServerOptions } from './server.ts';
export { echoProtocol, type EchoOptions } from './protocol.ts';
export { echoCommand } from './command.ts';
export { DEFAULT_SOURCE_POLICY, reasonToDrop, type DropReason, type SourcePolicy } from './source-policy.ts';
export { RateLimit, type RateLimitOptions } from './rate-limit.ts';
