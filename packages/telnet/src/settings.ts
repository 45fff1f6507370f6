// What a session gets: its limits, and what its client is offered.

import type { Mode } from './mode.ts';
import type { MudOptions } from './mud.ts';

export interface TelnetLimits {
  /** The silence after which `session.ready` waits no longer for the client's answers; each answer is given as long. */
  readonly negotiationMs: number;
  /** The longest that the client's answers are waited for in all. */
  readonly maxOpeningMs: number;
  /** The longest line that is read; a longer one is thrown away and the user is told. */
  readonly maxLineBytes: number;
  /** The longest payload of one option message. */
  readonly maxSubnegotiationBytes: number;
  /** Input that waits to be read; beyond, the client is made to wait. */
  readonly maxQueuedInputBytes: number;
  /** Output that waits for a slow client, and so the largest single write; beyond, the connection is cut. */
  readonly maxQueuedOutputBytes: number;
}

export interface TelnetSettings extends TelnetLimits, MudOptions {
  /**
   * The mode that sessions begin in. `line`: the client's own. `character`: every client is asked for it. `auto`: those are
   * asked that have said what terminal they are, and are neither made for multi-user worlds nor for a screen reader.
   * `session.ready` waits for the answer as it does for others; what the handler asks for goes before.
   */
  readonly mode: Mode | 'auto';
  /** Ask terminals for LINEMODE (RFC 1184): the client edits and traps signals by agreement, not by its own habit. */
  readonly linemode: boolean;
  /**
   * Ask for TLS at the beginning of a connection in clear (START_TLS, option 46): `offer` goes on without, `require` does
   * not. Needs the server's `tls` option. A listener with `tls://` needs none of it.
   */
  readonly startTls: 'off' | 'offer' | 'require';
}
