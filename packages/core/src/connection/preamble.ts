// The way of a connection to `open`: a PROXY header, a TLS handshake, both or none, one step at a time. Bytes in, the
// step's end out.

import type { WellknownError } from '../errors.ts';
import { createProxyParser, type ProxyHeader, type ProxyParser } from '../proxy-protocol/parser.ts';

/** `more`: the step goes on. Bytes that are none of this step's are kept for the next. */
export type PreambleOutcome =
  | { readonly at: 'more' }
  | { readonly at: 'header'; readonly header: ProxyHeader }
  | { readonly at: 'invalid'; readonly problem: string };

const MORE: PreambleOutcome = { at: 'more' };

export class ConnectionPreamble {
  /** What follows when the step is done. */
  readonly next: () => void;
  /** Told when the step can't be completed. */
  readonly failed: ((error: WellknownError) => void) | undefined;
  #parser: ProxyParser | undefined;
  #early: Uint8Array | undefined;
  #isUntouched = true;

  constructor(step: 'proxy-header' | 'handshake', next: () => void, failed?: (error: WellknownError) => void) {
    this.#parser = step === 'proxy-header' ? createProxyParser() : undefined;
    this.next = next;
    this.failed = failed;
  }

  /** Bytes that followed the PROXY header. */
  get early(): Uint8Array | undefined {
    return this.#early;
  }

  /** Nothing has come yet. */
  get isUntouched(): boolean {
    return this.#isUntouched;
  }

  push(chunk: Uint8Array): PreambleOutcome {
    this.#isUntouched = false;
    const step = this.#parser?.push(chunk);
    if (step === undefined) {
      // It was on its way when the transport was paused.
      this.#early = this.#early === undefined ? chunk : Buffer.concat([this.#early, chunk]);
      return MORE;
    }
    if (step.type === 'error') return { at: 'invalid', problem: step.problem };
    if (step.type !== 'header') return MORE;
    this.#parser = undefined;
    if (step.rest.length > 0) this.#early = step.rest;
    return { at: 'header', header: step.header };
  }
}
