// Terminal speed (RFC 1079): two decimal numbers of bits a second, to and from the terminal.

export interface TerminalSpeed {
  readonly transmit: number;
  readonly receive: number;
}

const IS = 0;
const SEND = 1;

export const TERMINAL_SPEED_SEND: Uint8Array = Uint8Array.of(SEND);

const decoder = new TextDecoder();

/** Reads an answer; undefined when it makes no sense. */
export function parseTerminalSpeed(payload: Uint8Array): TerminalSpeed | undefined {
  if (payload[0] !== IS || payload.length > 32) return undefined;
  const [, transmit, receive] = /^([0-9]{1,9}),([0-9]{1,9})$/.exec(decoder.decode(payload.subarray(1))) ?? [];
  return transmit === undefined ? undefined : { transmit: Number(transmit), receive: Number(receive) };
}
