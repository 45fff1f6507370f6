// Protocols whose connections are not served here but given away as the kernel made them. What does that is named
// beside the protocol: the contract of protocols knows connections only.

import type { Address } from '../address/address.ts';
import type { Logger } from '../log.ts';
import type { Protocol } from '../protocol.ts';
import type { Clock } from '../time/clock.ts';
import type { Accepted, AcceptHandler } from './accept-handler.ts';
import type { Listed } from './connection-listing.ts';

/** What status and log tell of one. */
export interface OtherMember extends Accepted, Listed {
  readonly remote: Address;
  /** Resolves when it is no more. */
  readonly closed: Promise<void>;
}

export interface OtherMembersContext {
  readonly log: Logger;
  readonly clock: Clock;
  /** How many of an address are open in this process. */
  readonly openOf: (key: string) => number;
}

export type OtherHandler = (context: OtherMembersContext) => AcceptHandler<OtherMember>;

const handlers = new WeakMap<Protocol, OtherHandler>();

/** From now on what is accepted for this protocol goes to `handler`. Returns the protocol. */
export function givenAway(protocol: Protocol, handler: OtherHandler): Protocol {
  handlers.set(protocol, handler);
  return protocol;
}

export const otherHandlerOf = (protocol: Protocol): OtherHandler | undefined => handlers.get(protocol);
