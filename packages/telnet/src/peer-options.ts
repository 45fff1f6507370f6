// What the parts of a session may do with options, without knowing how it is sent.

import type { QState } from './engine/q-method.ts';
import type { Change, Side } from './engine/negotiation.ts';

export interface PeerOptions {
  readonly state: (side: Side, option: number) => QState;
  readonly isOn: (side: Side, option: number) => boolean;
  /** Every option that is on, in the order of their numbers. */
  readonly listOn: () => readonly { readonly side: Side; readonly option: number }[];
  /** Asks for an option, or for its end, and sends what there is to send. */
  readonly request: (side: Side, option: number, wanted: boolean) => void;
  /** Goes on without the confirmation of an option that was stopped. */
  readonly assumeOff: (side: Side, option: number) => void;
  /** Sends a subnegotiation. */
  readonly send: (option: number, payload: Uint8Array) => void;
}

/** A part of the session that lives on options of its own. */
export interface OptionFeature {
  /** The client has named itself, or never will. Called for each chunk from then on. */
  named(isMudClient: boolean): void;
  /** An option, of this feature or another, has gone on or off. */
  changed(change: Change): void;
  /** The payload of an option, of this feature or another. */
  received(option: number, payload: Uint8Array): void;
}
