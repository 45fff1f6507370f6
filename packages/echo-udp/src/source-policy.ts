// Which sources an echo answers. Pure: a reason to drop, or none.
//
// An echo repeats whatever it gets to whoever claims to have sent it, so two such services can be made to talk to each
// other for ever by one forged datagram (CVE-1999-0103, CVE-2024-2169). Neither end of such a loop uses an ephemeral
// port: that is the rule that stops them all.

import type { DatagramSource } from '@wellknown/core';

export type DropReason = 'port-zero' | 'service-port' | 'own-address' | 'too-long' | 'rate' | 'global-rate' | 'queue-full';

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

/** Why this datagram gets no answer, or undefined. `ownPort` is the port that the echo itself listens on. */
export function reasonToDrop(policy: SourcePolicy, byteLength: number, source: DatagramSource, ownPort: number): DropReason | undefined {
  // Port 0 cannot be answered, and node throws when it is tried.
  if (source.port === 0) return 'port-zero';
  // Also another machine's echo that was moved to the same port above 1023.
  if (source.port === ownPort) return 'own-address';
  if (source.port < policy.minSourcePort || ANSWERING_PORTS.has(source.port)) return 'service-port';
  if (byteLength > policy.maxDatagramBytes) return 'too-long';
  return undefined;
}
