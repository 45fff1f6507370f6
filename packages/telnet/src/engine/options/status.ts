// Status (RFC 859): the peer asks which options we believe to be on.

import { COMMANDS } from '../codes.ts';
import type { Side } from '../negotiation.ts';

const IS = 0;
const SEND = 1;

export const isStatusRequest = (payload: Uint8Array): boolean => payload.length === 1 && payload[0] === SEND;

/** The answer: WILL for each option on our side, DO for each on the peer's. */
export function encodeStatus(on: readonly { readonly side: Side; readonly option: number }[]): Uint8Array {
  // An option with the number of SE would have to be doubled; none of ours has it.
  return Uint8Array.of(
    IS,
    ...on.flatMap(({ side, option }) => [side === 'us' ? COMMANDS.WILL.code : COMMANDS.DO.code, option]),
  );
}
