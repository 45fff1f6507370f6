// What one connection may cost, with the defaults and their reasons.

export interface ConnectionLimits {
  /** Without a byte in either direction for this long, the connection ends. 0: never. */
  readonly idleTimeoutMs: number;
  /** A peer that takes nothing of what was written for this long is cut off. 0: never. */
  readonly writeTimeoutMs: number;
  /** After our last word, so long the peer may take to close. */
  readonly lingerTimeoutMs: number;
  /** After our last word, so many bytes are read and discarded. */
  readonly lingerBytes: number;
  /** More unsent bytes than this mean that a protocol writes without looking back: the connection is cut. */
  readonly maxUnsentBytes: number;
  /** A trusted proxy must have sent its PROXY header within this. */
  readonly proxyHeaderTimeoutMs: number;
  /** A TLS handshake must have ended within this. */
  readonly handshakeTimeoutMs: number;
  /**
   * The system asks a TCP peer that has been silent for this long whether it is still there, and breaks the connection
   * (`peer-reset`) of one that does not answer. 0: never.
   */
  readonly keepAliveMs: number;
  /** A connection that is this old is ended, whatever it does. 0: never. */
  readonly lifetimeMs: number;
  /**
   * In the middle of a message (see `Connection.expectInput`) the peer must send at least so much, on average over ten
   * seconds. 0: no matter.
   */
  readonly minReadBytesPerSecond: number;
  /**
   * While bytes wait to be sent the peer must take at least so much, on average over `writeTimeoutMs`. 0: no matter.
   */
  readonly minWriteBytesPerSecond: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  // No protocol here has a shorter legitimate silence than FTP's five minutes (RFC 1123 §4.1.3.2).
  idleTimeoutMs: 300_000,
  // A TCP stack that is alive acknowledges a window probe well within this.
  writeTimeoutMs: 30_000,
  // Apache lingers 2 s, nginx 5 s between reads; a peer on a slow line needs about one round trip.
  lingerTimeoutMs: 2_000,
  // What a peer can have in flight on an ordinary connection.
  lingerBytes: 65_536,
  // The size at which a peer that never reads is a danger to memory and not merely slow.
  maxUnsentBytes: 16 * 1024 * 1024,
  // The specification asks for at least three seconds, which cover one lost segment.
  proxyHeaderTimeoutMs: 3_000,
  // A few round trips and a retransmission; Node's own two minutes are a gift to a client that opens and says nothing.
  handshakeTimeoutMs: 5_000,
  // Only this notices a peer that has vanished where no idle limit does. NATs and load balancers forget a silent
  // connection after four minutes or more: the question, with time for a lost one, keeps it known to them.
  keepAliveMs: 120_000,
  // Long-lived connections are the point of most protocols here.
  lifetimeMs: 0,
  // A tenth of what the slowest modem carried. Slower is a client that wants to hold the connection.
  minReadBytesPerSecond: 100,
  minWriteBytesPerSecond: 100,
};
