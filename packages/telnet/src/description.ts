// What is known of TELNET without its sessions.

import type { ProtocolDescription } from '@wellknown/core';

const REFUSALS = {
  'address-limit': 'Too many sessions from your address. Please try again later.\r\n',
  'queue-limit': 'Too many sessions at the moment. Please try again later.\r\n',
} as const;

/** TELNET, for a process that does not serve it. */
export const TELNET = {
  name: 'telnet',
  urlScheme: 'telnet',
  port: 23,
  refusal: (reason) => REFUSALS[reason],
} as const satisfies ProtocolDescription;
