// The replies: codes and texts (RFC 959 §4.2), and their form on the wire.

import { UTF8, type Charset } from './charset.ts';

/**
 * One reply. Lines between the first and the last are indented by a space on the wire, so that none looks like the
 * last.
 */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** A reply of one or more lines. */
export const reply = (code: number, ...lines: readonly string[]): Reply => ({ code, lines });

// File names come from outside: no line end of theirs, and no NUL, may become part of the protocol. Other control bytes are a
// client's to hide: with another name than the real one it could do nothing.
const onOneLine = (text: string): string => text.replace(/[\0\r\n]/g, '?');

/** The reply as it travels, with CR LF after each line. Multi-line as in RFC 959 §4.2. */
export function encodeReply({ code, lines }: Reply): string {
  const last = onOneLine(lines.at(-1) ?? '');
  if (lines.length <= 1) return `${code} ${last}\r\n`;
  const first = onOneLine(lines[0] ?? '');
  const inner = lines.slice(1, -1).map((line) => ` ${onOneLine(line)}\r\n`);
  return `${code}-${first}\r\n${inner.join('')}${code} ${last}\r\n`;
}

/** A path in a 257 reply: in quotes, and a quote inside is doubled (RFC 959, appendix II). */
export const quotePath = (path: string): string => `"${path.replaceAll('"', '""')}"`;

/** 227 with nothing after the closing parenthesis: clients scan for the six numbers (RFC 1123 §4.1.2.6). */
export const passiveReply = (ipv4: string, port: number): Reply =>
  reply(227, `Entering Passive Mode (${ipv4.replaceAll('.', ',')},${port >> 8},${port & 0xff})`);

/** 229 in the form of RFC 2428 §3. */
export const extendedPassiveReply = (port: number): Reply => reply(229, `Entering Extended Passive Mode (|||${port}|)`);

const IAC = 255;

/** Replies whose text never changes. */
export const REPLY = {
  greeting: reply(220, 'FTP server ready.'),
  commandOkay: reply(200, 'Okay.'),
  superfluous: reply(202, 'Not needed here.'),
  goodbye: reply(221, 'Goodbye.'),
  nothingToAbort: reply(225, 'No transfer to abort.'),
  abortDone: reply(226, 'Abort done.'),
  transferComplete: reply(226, 'Transfer complete.'),
  loggedIn: reply(230, 'Logged in.'),
  fileActionOkay: reply(250, 'Done.'),
  needPassword: reply(331, 'Password please.'),
  renameReady: reply(350, 'Ready for RNTO.'),
  serviceClosing: reply(421, 'The server is shutting down.'),
  tooManyConnections: reply(421, 'Too many connections from your address.'),
  banned: reply(421, 'Too many failed logins from your address; try again later.'),
  serverBusy: reply(421, 'Too many connections; try again later.'),
  idleTimeout: reply(421, 'Idle for too long.'),
  loginTimeout: reply(421, 'Login took too long.'),
  tooManySessions: reply(421, 'You have too many sessions already.'),
  loginsBusy: reply(421, 'Too many are logging in; try again in a moment.'),
  tooManyFailures: reply(421, 'Too many failed logins.'),
  unknownMechanism: reply(504, 'The only mechanism is TLS.'),
  alreadySecure: reply(503, 'This connection speaks TLS already.'),
  needsAuth: reply(503, 'AUTH TLS comes first.'),
  loginNeedsTls: reply(530, 'Say AUTH TLS before you log in.'),
  transferNeedsTls: reply(521, 'Data connections must be private: say PBSZ 0 and PROT P.'),
  dataTlsFailed: reply(425, 'The TLS handshake of the data connection failed.'),
  dataTlsNotResumed: reply(522, 'The data connection must resume the TLS session of the control connection.'),
  shortFile: reply(451, 'The file ended before its announced size; the transfer is incomplete.'),
  asciiRefused: reply(550, 'Files move in TYPE I only here.'),
  tooManyUnknown: reply(421, 'Too many unknown commands.'),
  notHttp: reply(421, 'This is an FTP server.'),
  onlyInternet: reply(421, 'FTP needs an Internet connection.'),
  noDataConnection: reply(425, 'Use PASV, EPSV, PORT or EPRT first.'),
  dataConnectionFailed: reply(425, "Can't open the data connection."),
  noPassivePort: reply(425, 'No port is free for a passive connection.'),
  passiveNeedsIpv4: reply(425, 'PASV needs IPv4; use EPSV.'),
  transferAborted: reply(426, 'Transfer aborted.'),
  dataConnectionLost: reply(426, 'The data connection broke; the transfer is incomplete.'),
  notACommand: reply(500, 'Not a command.'),
  unknownCommand: reply(500, 'Unknown command.'),
  lineTooLong: reply(500, 'Command line too long.'),
  controlCharacter: reply(501, 'Control characters are not allowed.'),
  missingArgument: reply(501, 'An argument is needed.'),
  surplusArgument: reply(501, 'This command takes no argument.'),
  badArgument: reply(501, 'Bad argument.'),
  badPath: reply(501, 'Bad path.'),
  notImplemented: reply(502, 'Not implemented.'),
  noSuchCommand: reply(502, 'No such command.'),
  badSequence: reply(503, 'Bad sequence of commands.'),
  onlyExtendedPassive: reply(503, 'Only EPSV is allowed after EPSV ALL.'),
  localError: reply(451, 'A local error occurred.'),
  parameterNotImplemented: reply(504, 'Not implemented for that parameter.'),
  wrongFamily: reply(522, 'Network protocol not supported, use (1,2)'),
  notLoggedIn: reply(530, 'Log in with USER and PASS.'),
  loginIncorrect: reply(530, 'Login incorrect.'),
  permissionDenied: reply(550, 'Permission denied.'),
  notAFile: reply(550, 'Not a regular file.'),
  notADirectory: reply(550, 'Not a directory.'),
  sizeNeedsImage: reply(550, 'SIZE needs TYPE I.'),
  badRestart: reply(554, 'The restart position is beyond the end, or not possible in TYPE A.'),
} as const satisfies Record<string, Reply>;

const FIXED_TEXTS = new Map<Reply, string>(Object.values(REPLY).map((each) => [each, encodeReply(each)]));

/**
 * A reply as it is sent: what is plain ASCII as text, each character of which is a byte. To a peer that speaks Telnet
 * 0xFF, a letter in names of old systems, goes out twice (RFC 854).
 */
export function replyOnWire(reply: Reply, charset: Charset, isTelnet: boolean): Uint8Array | string {
  const fixed = FIXED_TEXTS.get(reply);
  if (fixed !== undefined && charset === UTF8) return fixed;
  const text = fixed ?? encodeReply(reply);
  if (charset === UTF8 && !/[^\0-\x7f]/.test(text)) return text;
  const bytes = charset.encode(text);
  if (!isTelnet || !bytes.includes(IAC)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}
