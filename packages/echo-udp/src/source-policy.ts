// Which sources get an answer. Pure: a reason to drop, or none.
//
// A service that answers whatever it gets to the address that claims to have sent it can be made to talk to another one
// like it for ever, by one forged datagram (CVE-1999-0103, CVE-2024-2169). Neither end of such a loop uses an ephemeral
// port: that is the rule that stops them all.

import type { DatagramSource } from '@wellknown/core';

/** Why a datagram got no answer; counted in `status()` as `dropped-REASON`. */
export type DropReason =
  'service-port' | 'own-port' | 'too-short' | 'too-long' | 'rate' | 'loop' | 'total-rate' | 'queue-full';

export interface SourcePolicy {
  /** Sources below this port are services, not clients. */
  readonly minSourcePort: number;
  /** Longer datagrams are dropped: the answer would leave in fragments. */
  readonly maxDatagramBytes: number;
}

export const DEFAULT_SOURCE_POLICY: SourcePolicy = {
  // RFC 6335 §6: clients use the dynamic ports; system services live below 1024.
  minSourcePort: 1024,
  // An Ethernet frame's 1500 bytes less the headers of IPv4 and UDP. Larger ones are opt-in.
  maxDatagramBytes: 1472,
};

/** Services above 1023 that answer unasked-for datagrams and so can be one end of a loop or a reflection. */
const ANSWERING_PORTS: ReadonlySet<number> = new Set([1434, 1900, 3702, 5060, 5353, 11211]);

/** Why this datagram gets no answer, or undefined. `ownPort` is the port that the service itself listens on. */
export function reasonToDrop(
  policy: SourcePolicy,
  byteLength: number,
  source: DatagramSource,
  ownPort: number,
): DropReason | undefined {
  const { port } = source;
  // Also another machine's service that was moved to the same port above 1023.
  if (port === ownPort) return 'own-port';
  if (port < policy.minSourcePort || (port <= LAST_ANSWERING_PORT && ANSWERING_PORTS.has(port))) return 'service-port';
  if (byteLength > policy.maxDatagramBytes) return 'too-long';
  return undefined;
}

const LAST_ANSWERING_PORT = Math.max(...ANSWERING_PORTS);
