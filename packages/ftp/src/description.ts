// What is known of FTP without its server.

import type { ProtocolDescription } from '@wellknown/core';
import { encodeReply, REPLY } from './replies.ts';

/** FTP, for a process that does not serve it. */
export const FTP = {
  name: 'ftp',
  urlScheme: 'ftp',
  port: 21,
  // A browser that was led here offers other names only, and gets no handshake (ALPACA, CVE-2021-3618).
  alpn: ['ftp'],
  // What a data connection resumes is then its own control connection's.
  tlsSessions: 'connection',
  refusal: (reason) => encodeReply(reason === 'address-limit' ? REPLY.tooManyConnections : REPLY.serverBusy),
  // A household or an office behind one address mistypes now and then; a guesser gets so many tries, then one a minute.
  bans: { maxOffences: 20, forgetMs: 60_000, banMs: 600_000 },
} as const satisfies ProtocolDescription;
