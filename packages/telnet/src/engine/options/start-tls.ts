// START_TLS (option 46, draft-altman-telnet-starttls): DO from the server, WILL and FOLLOWS from the client, FOLLOWS from
// the server, and then the handshake. All options are off again behind it.

import { encodeSubnegotiation } from '../encoder.ts';
import { OPTIONS } from '../codes.ts';

const FOLLOWS = 1;

/** What both sides say last in clear. */
export const START_TLS_FOLLOWS = encodeSubnegotiation(OPTIONS.STARTTLS.code, Uint8Array.of(FOLLOWS));

export const isStartTlsFollows = (payload: Uint8Array): boolean => payload.length === 1 && payload[0] === FOLLOWS;
