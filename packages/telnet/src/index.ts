// For programs that serve telnet.

export { createTelnetServer, type TelnetServerOptions } from './server.ts';
export { DEFAULT_TELNET_LIMITS, telnetProtocol } from './protocol.ts';
export type { TelnetHandler, TelnetLimits } from './connection.ts';
export type { SessionEvents, TelnetSession } from './session.ts';
export type { Terminal } from './terminal.ts';
export type { WindowSize } from './options/naws.ts';
export type { MttsFlag } from './options/terminal-type.ts';
export type { EnvironmentName } from './options/new-environ.ts';
export { createDemoSession } from './demo-session.ts';
export { cleanClientText } from './client-text.ts';
export { telnetCommand } from './cli.ts';

// For programs that speak telnet without a server of ours: bytes to events, events to bytes, RFC 1143.

export {
  createParser,
  DEFAULT_MAX_SUBNEGOTIATION_BYTES,
  type Parser,
  type ParserOptions,
  type TelnetEvent,
  type Warning,
} from './parser.ts';
export { encodeCommand, encodeNegotiation, encodeSubnegotiation, encodeText, escapeIac } from './encoder.ts';
export { COMMANDS, OPTIONS, optionText, type CommandName, type OptionName, type Verb } from './codes.ts';
export { Q_TABLE, type QEvent, type QOutcome, type QState } from './q-method.ts';
export {
  createNegotiation,
  type Change,
  type Negotiation,
  type NegotiationOutcome,
  type Reply,
  type Side,
} from './negotiation.ts';
export { createLineDecoder, DEFAULT_MAX_LINE_BYTES, type LineDecoder, type LineEvent } from './line-decoder.ts';
