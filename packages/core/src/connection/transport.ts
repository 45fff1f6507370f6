// What carries one stream connection: tcp, unix, or memory in tests. A connection knows only this.

import type { Address } from '../address/address.ts';
import type { SecureInfo } from './secure-info.ts';
import type { TlsClient, TlsContext } from './tls-context.ts';

export interface TransportEvents {
  /** Bytes from the peer. The buffer is the receiver's from now on. */
  data(chunk: Uint8Array): void;
  /** The peer has shut down its writing side. */
  ended(): void;
  /** Everything written so far has been handed to the kernel, after a write that returned false. */
  drained(): void;
  /** Nothing more will come or go: both directions have ended, or the connection broke. Called exactly once, last. */
  closed(error: Error | undefined): void;
}

export interface TlsHandshake {
  /** Which side we are, and what we bring to it. */
  readonly side: TlsContext | TlsClient;
  /** The names that the server's side offers (ALPN, RFC 7301). */
  readonly alpn: readonly string[] | undefined;
  /** Bytes that were read already and belong to the handshake. */
  readonly head: Uint8Array | undefined;
  /** The peer only sends: it gets no session tickets behind the handshake. */
  readonly withoutTickets: boolean;
  /** The handshake is done. When it fails, `closed` of the events is called instead. */
  readonly secured: (info: SecureInfo) => void;
}

export interface Transport {
  readonly kind: 'tcp' | 'unix' | 'memory';
  readonly local: Address;
  readonly remote: Address;
  /** Bytes written but not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Bytes that the kernel has taken, ever. */
  readonly sentBytes: number;
  /** Bytes that have been read from the kernel and not been delivered yet. Only a paused transport has any. */
  readonly undeliveredBytes: number;
  /** Starts delivering events. Until then nothing is lost: the transport buffers a bounded amount. */
  start(events: TransportEvents): void;
  /**
   * Speaks TLS from here on. What was written before goes out before in clear; what is written from now
   * on waits for the handshake. Absent where a transport knows no TLS, or speaks it already.
   */
  readonly startTls?: (handshake: TlsHandshake) => void;
  /** Queues bytes; false when the peer is slower than the writer. The transport owns `data` until it is sent. */
  write(data: string | Uint8Array, encoding: 'latin1' | 'utf8'): boolean;
  /**
   * The same for a buffer that is wanted back. `taken` is called once, never before this has returned: when the kernel
   * has all of it, or with an error when it will not be sent.
   */
  writeThen(data: Uint8Array, taken: (error: Error | undefined) => void): boolean;
  /** Between `cork` and `uncork`, writes are gathered into one system call. */
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /**
   * Asks the system about the peer, from which a paused transport hears nothing: where it has reset the connection,
   * `closed` follows. Sends nothing. Absent where the peer is always heard.
   */
  readonly probe?: () => void;
  /** Sends what is queued, then FIN. */
  shutdownWrite(): void;
  /** Drops everything at once. */
  destroy(): void;
  /** The same, and the peer sees a reset where the transport has one: TCP, and TLS over it. */
  reset(): void;
}
