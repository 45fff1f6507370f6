import {
  DEFAULT_CONNECTION_LIMITS,
  defineProtocol,
  requireKnownNames,
  WellknownError,
  type ConnectionLimits,
  type Protocol,
  type Sink,
} from '@wellknown/core';
import { DEFAULT_MAX_LINE_BYTES } from './line-decoder.ts';
import { DEFAULT_MAX_SUBNEGOTIATION_BYTES } from './engine/parser.ts';
import { TELNET } from './description.ts';
import { serveTelnet, type TelnetHandler } from './connection.ts';
import type { TelnetLimits, TelnetSettings } from './settings.ts';
import { askForTls } from './start-tls.ts';

/** What every session gets unless the server says otherwise. */
export const DEFAULT_TELNET_LIMITS: TelnetLimits = {
  // Longer than a round trip on most networks, shorter than what a person notices before a greeting.
  negotiationMs: 150,
  // A client with four terminal names needs six round trips: 250 ms each are a line to the other side of the world.
  maxOpeningMs: 2000,
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  maxSubnegotiationBytes: DEFAULT_MAX_SUBNEGOTIATION_BYTES,
  // One read of the kernel's buffer: what a person pastes fits, a flood waits.
  maxQueuedInputBytes: 65_536,
  // Some seven thousand lines of eighty characters that wait for a slow client.
  maxQueuedOutputBytes: 1024 * 1024,
};

/** Worlds ask for these; a console or a game of its own has no use for them. */
const NOTHING_OFFERED = {
  gmcp: false,
  msdp: false,
  mccp: false,
  mssp: undefined,
  plainMssp: false,
  linemode: false,
  startTls: 'off',
  mode: 'line',
} as const;

/** People think longer than machines: ten minutes without a byte. */
const CONNECTION_LIMITS: Partial<ConnectionLimits> = {
  idleTimeoutMs: 600_000,
  maxUnsentBytes: DEFAULT_TELNET_LIMITS.maxQueuedOutputBytes,
  writeTimeoutMs: DEFAULT_CONNECTION_LIMITS.writeTimeoutMs,
};

const CHOICES = {
  startTls: ['off', 'offer', 'require'],
  mode: ['line', 'character', 'auto'],
} as const satisfies { readonly [Name in keyof TelnetSettings]?: readonly TelnetSettings[Name][] };

/** TELNET (RFC 854) with `handler` as each session, for core to serve. Throws OPTION_INVALID for unknown names. */
export function telnetProtocol(handler: TelnetHandler, options: Partial<TelnetSettings> = {}): Protocol {
  const known: Required<TelnetSettings> = { ...DEFAULT_TELNET_LIMITS, ...NOTHING_OFFERED };
  requireKnownNames('session option', options, Object.keys(known));
  const settings: TelnetSettings = { ...known, ...options };
  for (const name of ['startTls', 'mode'] as const) {
    const allowed: readonly string[] = CHOICES[name];
    if (!allowed.includes(settings[name]))
      throw new WellknownError(
        'OPTION_INVALID',
        `session.${name} is '${settings[name]}', allowed are ${allowed.join(', ')}`,
        { fault: 'local' },
      );
  }
  return defineProtocol({
    ...TELNET,
    open: (connection, context) => {
      const serve = (): Sink => serveTelnet(connection, context, handler, settings);
      if (settings.startTls === 'off' || connection.secure !== undefined) return serve();
      return askForTls({
        connection,
        context,
        isRequired: settings.startTls === 'require',
        silenceMs: settings.negotiationMs,
        maxMs: settings.maxOpeningMs,
        serve,
      });
    },
    limits: CONNECTION_LIMITS,
  });
}
