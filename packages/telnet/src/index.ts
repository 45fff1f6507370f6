// For programs that serve telnet.

export { createTelnetServer, type TelnetServerOptions } from './server.ts';
export { DEFAULT_TELNET_LIMITS, telnetProtocol } from './protocol.ts';
export type { TelnetHandler } from './connection.ts';
export type { TelnetLimits, TelnetSettings } from './settings.ts';
export type {
  AgreedOption,
  AskOptions,
  BinaryDirections,
  SessionEvents,
  SessionInfo,
  TelnetSession,
} from './session.ts';
export type { RawInput } from './input.ts';
export type { MudOptions, SessionGmcp, SessionMsdp } from './mud.ts';
export type { GmcpMessage } from './engine/options/gmcp.ts';
export type { MsdpMessage, MsdpValue } from './engine/options/msdp.ts';
export type { MsspStatus } from './engine/options/mssp.ts';
export type { Mode } from './mode.ts';
export type { Terminal } from './terminal.ts';
export type { WindowSize } from './engine/options/naws.ts';
export type { Charset } from './engine/options/charset.ts';
export type { TerminalSpeed } from './engine/options/terminal-speed.ts';
export type { MttsFlag } from './engine/options/terminal-type.ts';
export type { EnvironmentName } from './engine/options/new-environ.ts';
export type { Key } from './keys/key.ts';
export type { Help, ReadOptions } from './editor/line-reader.ts';
export type { Completer, Completions } from './editor/completion.ts';
export { authenticate, type AuthenticateOptions } from './authenticate.ts';
export { createHistory, type History } from './editor/history.ts';
export type { RecordingSink, RecordOptions } from './recording/recorder.ts';
export { recordSessions, type RecordSessionsOptions } from './recording/recorded-sessions.ts';
export type { TtyInput, TtyOutput } from './tty/tty-streams.ts';
export type { SpawnOptions } from './program/spawn-options.ts';
export type { AcceptedVariable } from './program/environment.ts';
export type { ProgramStatus } from './program/program-io.ts';
export { loginSession, programSession, type ProgramSessionOptions } from './program/program-session.ts';
export { createDemoSession, type DemoOptions } from './demo-session.ts';
export { telnetCommand } from './cli.ts';

// For programs that speak telnet without a server of ours.

export * from './engine/index.ts';
export { createLineDecoder, DEFAULT_MAX_LINE_BYTES, type LineDecoder, type LineEvent } from './line-decoder.ts';
