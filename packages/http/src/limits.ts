// Every bound of the HTTP engine in one place. A bound that is met ends in a response with a status, never in growth.

export interface HttpLimits {
  /** Bytes of request line, header section and the empty lines before them. More: 431, or 414 inside the target. */
  readonly maxHeadBytes: number;
  /** Field lines in a header section, and again in a trailer section. More: 431. */
  readonly maxFields: number;
  /** Bytes of the request target. More: 414. */
  readonly maxTargetBytes: number;
  /** Bytes of content in one request. More: 413. `Infinity` is allowed where a handler streams. */
  readonly maxBodyBytes: number;
  /** Bytes of chunk extensions in one request, all chunks together. More: 413. */
  readonly maxChunkExtensionBytes: number;
  /** Bytes of a trailer section. More: 431. */
  readonly maxTrailerBytes: number;
  /**
   * Content that a handler left unread is discarded up to so many bytes to keep the connection; beyond, it is closed.
   */
  readonly maxDiscardedBodyBytes: number;
  /** From the first byte of a head (or the accept) to its last. Passed: 408, or a silent close when no byte came. */
  readonly headTimeoutMs: number;
  /** How often the rate of an arriving body is checked. */
  readonly bodyCheckMs: number;
  /** An arriving body that is slower than this over a whole check interval is given up with 408. */
  readonly minBodyBytesPerSecond: number;
  /**
   * A connection without a request for so long is closed. 0: never. Unless it is given it is the server's
   * `idleTimeoutMs`, where that is given. Where both are, whichever passes first closes.
   */
  readonly keepAliveTimeoutMs: number;
  /**
   * Streams of one HTTP/2 session that its client resets, or makes the server reset by an error of its own, within
   * `floodIntervalMs`. More: the session ends with ENHANCE_YOUR_CALM.
   */
  readonly maxResets: number;
  /** Frames of PING, SETTINGS, PRIORITY and empty DATA in one session within `floodIntervalMs`. More: the same. */
  readonly maxControlFrames: number;
  /** The interval in which both are counted. */
  readonly floodIntervalMs: number;
}

/** The limits of HTTP, and the one of every server that has a say here. */
export type GivenHttpLimits = Partial<HttpLimits> & { readonly idleTimeoutMs?: number };

/** What is in force where these are given. */
export function resolveHttpLimits({ idleTimeoutMs, ...given }: GivenHttpLimits): HttpLimits {
  return {
    ...DEFAULT_HTTP_LIMITS,
    ...(idleTimeoutMs !== undefined && { keepAliveTimeoutMs: idleTimeoutMs }),
    ...given,
  };
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  // nginx takes four buffers of 8 KiB; a head with large cookies fits.
  maxHeadBytes: 32_768,
  // hyper, Apache and IIS stop at about 100; browsers send some 15.
  maxFields: 100,
  // RFC 9112 §3 asks for at least 8000.
  maxTargetBytes: 8_192,
  // nginx and Fastify: enough for forms and JSON; uploads raise it knowingly.
  maxBodyBytes: 1_048_576,
  // No known client sends any; a flood of them costs the reader and carries nothing (CVE-2024-22019).
  maxChunkExtensionBytes: 4_096,
  // Checksums and signatures are short.
  maxTrailerBytes: 8_192,
  // What the lingering close of the connection would read as well.
  maxDiscardedBodyBytes: 65_536,
  // Apache's RequestReadTimeout gives a header section 20 s.
  headTimeoutMs: 20_000,
  bodyCheckMs: 20_000,
  // The value of IIS (minBytesPerSecond): a modem is faster, a slow-body attack is not.
  minBodyBytesPerSecond: 240,
  // Longer than the 60 s of common load balancers, so that the side that sends requests is the one that closes.
  keepAliveTimeoutMs: 75_000,
  // A reader who leaves a page cancels what is open, a hundred streams at most, and may do so three times in a row.
  // nghttp2's own bound, 33 in a second after a burst of a thousand, lies above (CVE-2023-44487, CVE-2025-8671).
  maxResets: 300,
  // A hundred in a second: gRPC measures its line with as many PINGs, browsers send a handful in all (CVE-2019-9512,
  // 9513, 9515, 9518).
  maxControlFrames: 1_000,
  floodIntervalMs: 10_000,
};
