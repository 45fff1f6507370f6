// How a session ends without the loss of a request (RFC 9113 §6.8):
//
//   serving ─ begin → asking ─ answered → announced ─ answered → closed
//                     PING                GOAWAY, any stream     GOAWAY, the last stream that is answered
//                     rest held back      PING, then the rest
//
// The first GOAWAY says that no more is wanted, while all that is on its way is still taken: the answer to the second
// PING comes behind it. The first PING is for clients that prepare a request at each response and write them all later,
// as those on nghttp2 do (h2load, curl, Envoy): a notice that they read together with responses would find requests
// prepared that are never written. Once that PING is answered the client has read everything and written everything,
// and the notice is the next that it reads. A client that answers no PING, or is far away, is given a time for each
// step, and one that is being sent much is not kept waiting.

import type { ServerHttp2Session } from 'node:http2';
import type { Connection } from '@wellknown/core';
import { ANY_STREAM, goawayFrame, pingFrame } from './frames.ts';
import type { Http2Stream } from './gated-stream.ts';
import { DRAIN_GRACE_MS } from '../exchange/phase-deadline.ts';

const NO_ERROR = 0;

export class GracefulShutdown {
  readonly #session: ServerHttp2Session;
  readonly #stream: Http2Stream;
  readonly #connection: Connection;
  #at: 'serving' | 'asking' | 'announced' | 'closed' = 'serving';

  constructor(session: ServerHttp2Session, stream: Http2Stream, connection: Connection) {
    this.#session = session;
    this.#stream = stream;
    this.#connection = connection;
  }

  begin(): void {
    if (this.#at !== 'serving') return;
    this.#at = 'asking';
    this.#connection.setDeadline(DRAIN_GRACE_MS);
    // Nothing may come before SETTINGS (RFC 9113 §3.4): a client that has acknowledged them has got them.
    if (this.#session.pendingSettingsAck) this.#session.once('localSettings', () => this.#ask());
    else this.#ask();
  }

  /** The time for a step is over: the next one is taken without an answer. */
  deadline(): void {
    if (this.#at === 'asking') this.#announce();
    else if (this.#at === 'announced') this.#close();
  }

  #ask(): void {
    if (this.#at !== 'asking') return;
    const payload = Buffer.from(crypto.getRandomValues(new Uint8Array(8)));
    const announce = (): void => this.#announce();
    this.#stream.hold({ after: pingFrame(payload), overflowed: announce });
    this.#ping(payload, announce);
  }

  #announce(): void {
    if (this.#at !== 'asking') return;
    this.#at = 'announced';
    this.#connection.setDeadline(DRAIN_GRACE_MS);
    // Node sends none of these without refusing streams from then on, so it is ours. Node writes whole frames: it fits
    // between.
    if (!this.#session.closed && !this.#session.pendingSettingsAck)
      this.#connection.send(goawayFrame(ANY_STREAM, NO_ERROR));
    this.#stream.release();
    this.#ping(undefined, () => this.#close());
  }

  #close(): void {
    if (this.#at === 'closed') return;
    this.#at = 'closed';
    this.#connection.setDeadline(0);
    // GOAWAY with the last stream; those that are open are finished.
    this.#session.close();
  }

  /** Not for a session that is ending by itself: its last GOAWAY has been sent. */
  #ping(payload: Buffer | undefined, answered: () => void): void {
    if (this.#session.closed || this.#session.destroyed) return;
    const acknowledged = (error: Error | null): void => {
      if (error === null) answered();
    };
    if (payload === undefined) this.#session.ping(acknowledged);
    else this.#session.ping(payload, acknowledged);
  }
}
