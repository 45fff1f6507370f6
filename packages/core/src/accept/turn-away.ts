// Turning a connection away: in the words of its protocol, where there are any that the peer would understand.

import type { TransportConnection } from '../connection/transport-connection.ts';
import type { Protocol } from '../protocol.ts';
import type { ListenerTraits, Refusal } from './accept-handler.ts';

/** A refusal in the two words that protocols know: it is the peer's doing, or the server's state. */
const REFUSAL_WORDS = {
  'address-limit': 'address-limit',
  'address-rate': 'address-limit',
  'queue-limit': 'queue-limit',
  'descriptor-limit': 'queue-limit',
} as const satisfies Record<Refusal, string>;

/** Says why, and closes lingeringly. */
export function turnAway(
  connection: TransportConnection,
  protocol: Protocol,
  { tls }: Pick<ListenerTraits, 'tls'>,
  reason: Refusal,
): void {
  // Before a handshake there is no word that the peer would understand.
  const words = tls ? undefined : protocol.refusal?.(REFUSAL_WORDS[reason]);
  connection.end(words, 'latin1', reason);
}
