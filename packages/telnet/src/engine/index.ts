// TELNET without sockets, timers or Node: bytes to events, events to bytes, RFC 1143. It runs in a browser, in a client
// and in tests as it is.

export { createParser, DEFAULT_MAX_SUBNEGOTIATION_BYTES, type Parser, type ParserOptions } from './parser.ts';
export type { TelnetEvent, Warning } from './telnet-event.ts';
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
export { cleanClientText } from './client-text.ts';
export {
  createEngine,
  encodeData,
  MAX_SUBNEGOTIATION_MS,
  TIMING_MARK_REACHED,
  type Engine,
  type EngineEvent,
  type EngineOptions,
} from './engine.ts';
export { OPTION_TABLE, optionRow, type Consent, type OptionRow } from './option-table.ts';
