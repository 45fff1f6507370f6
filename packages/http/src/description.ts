// What is known of HTTP without its engine.

import type { ProtocolDescription } from '@wellknown/core';
import { statusLine } from './semantics/statuses.ts';

// An upload that was answered early goes on for as long as its client does not look: what a fast one sends within
// core's `lingerTimeoutMs`. Bytes that are read and dropped cost less than a client that never gets its 401.
const LINGER_BYTES = 64 * 1024 * 1024;

/** What a peer is sent that is turned away because its address, or the server, holds as many connections as allowed. */
const OVERLOAD_TEXT = `${statusLine(503)}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 21\r\nRetry-After: 10\r\nConnection: close\r\n\r\nToo many connections\n`;

/** HTTP, for a process that does not serve it. */
export const HTTP = {
  name: 'http',
  urlScheme: 'http',
  port: 80,
  limits: { lingerBytes: LINGER_BYTES },
  refusal: () => OVERLOAD_TEXT,
} as const satisfies ProtocolDescription;
