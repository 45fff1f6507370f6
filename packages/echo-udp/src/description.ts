// What is known of echo (RFC 862) without its server.

import type { ProtocolDescription } from '@wellknown/core';

/** echo, for a process that does not serve it. */
export const ECHO = { name: 'echo', port: 7, defaultScheme: 'udp' } as const satisfies ProtocolDescription;
