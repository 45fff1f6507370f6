import {
  DEFAULT_CONNECTION_LIMITS,
  defineProtocol,
  requireKnownNames,
  type ConnectionLimits,
  type Protocol,
} from '@wellknown/core';
import { DEFAULT_MAX_LINE_BYTES } from './line-decoder.ts';
import { DEFAULT_MAX_SUBNEGOTIATION_BYTES } from './parser.ts';
import { serveTelnet, type TelnetHandler, type TelnetLimits } from './connection.ts';

/** What every session gets unless the server says otherwise. */
export const DEFAULT_TELNET_LIMITS: TelnetLimits = {
  // Longer than a round trip on most networks, shorter than what a person notices before a greeting.
  negotiationMs: 150,
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  maxSubnegotiationBytes: DEFAULT_MAX_SUBNEGOTIATION_BYTES,
  // One read of the kernel's buffer: what a person pastes fits, a flood waits.
  maxQueuedInputBytes: 65_536,
  // Some seven thousand lines of eighty characters that wait for a slow client.
  maxQueuedOutputBytes: 1024 * 1024,
};

/** People think longer than machines: ten minutes without a byte. */
const CONNECTION_LIMITS: Partial<ConnectionLimits> = {
  idleTimeoutMs: 600_000,
  maxUnsentBytes: DEFAULT_TELNET_LIMITS.maxQueuedOutputBytes,
  writeTimeoutMs: DEFAULT_CONNECTION_LIMITS.writeTimeoutMs,
};

const REFUSALS = {
  'address-limit': 'Too many sessions from your address. Please try again later.\r\n',
  'queue-limit': 'Too many sessions at the moment. Please try again later.\r\n',
} as const;

/** TELNET (RFC 854) with `handler` as each session, for core to serve. Throws OPTION_INVALID for unknown limits. */
export function telnetProtocol(handler: TelnetHandler, options: Partial<TelnetLimits> = {}): Protocol {
  requireKnownNames('session limit', options, Object.keys(DEFAULT_TELNET_LIMITS));
  const limits: TelnetLimits = { ...DEFAULT_TELNET_LIMITS, ...options };
  return defineProtocol({
    name: 'telnet',
    urlScheme: 'telnet',
    port: 23,
    open: (connection, context) => serveTelnet(connection, context, handler, limits),
    refusal: (reason) => REFUSALS[reason],
    limits: CONNECTION_LIMITS,
  });
}
