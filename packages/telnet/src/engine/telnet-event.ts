// What the parser makes of bytes.

import type { CommandName, Verb } from './codes.ts';

export type Warning =
  /** IAC before a byte that is no command: the IAC was dropped, the byte is data. */
  | 'unknown-command'
  /** IAC SE without a subnegotiation. */
  | 'stray-end'
  /** A DM without its IAC, left over from a Synch: dropped. */
  | 'stray-mark'
  /** A subnegotiation without even an option number. */
  | 'empty-subnegotiation'
  /** A command inside a subnegotiation: the subnegotiation was dropped, the command was obeyed. */
  | 'interrupted-subnegotiation'
  /** More than `maxSubnegotiationBytes`: dropped up to its end. Reported once, when the limit is passed. */
  | 'long-subnegotiation'
  /** It did not end in time: `abandonSubnegotiation`. */
  | 'endless-subnegotiation';

export type TelnetEvent =
  /** `bytes` is a view of the chunk wherever possible: it is valid as long as the chunk is. Never empty. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'command'; readonly command: CommandName }
  | { readonly type: 'negotiation'; readonly verb: Verb; readonly option: number }
  /** `payload` has its doubled IACs undone and belongs to the receiver. */
  | { readonly type: 'subnegotiation'; readonly option: number; readonly payload: Uint8Array }
  | { readonly type: 'warning'; readonly warning: Warning };
