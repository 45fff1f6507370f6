// The contract of a stream connection; transport-connection.ts keeps it.

import type { Address } from '../address/address.ts';
import type { ProxyHeader } from '../proxy-protocol/parser.ts';
import type { Sink } from './sink.ts';
import type { CloseReason, ConnectionState } from './states.ts';
import type { SecureInfo } from './secure-info.ts';
import type { TlsClient, TlsContext } from './tls-context.ts';
import type { Transport } from './transport.ts';

/**
 * One stream connection, as protocols and programs see it.
 *
 * It is used in one of two ways. The fast one: `attach` a sink, get bytes pushed in, `send` bytes out, with no promise
 * and no stream between. The comfortable one: `read`, `readLine`, `for await` and `write`.
 */
export interface Connection {
  /** Unique in this process. */
  readonly id: number;

  /** The client's end: of the socket, or what a trusted proxy has said. */
  readonly remote: Address;

  /** Our end: of the socket, or what the client connected to at a trusted proxy. */
  readonly local: Address;

  /** The socket's other end, also where that is a proxy. */
  readonly peer: Address;

  /** The socket's own end, also where `local` is what a proxy has said. */
  readonly socketLocal: Address;

  /** The PROXY header that it came with. */
  readonly proxyHeader: ProxyHeader | undefined;

  /** What was agreed on in the TLS handshake; undefined in clear. */
  readonly secure: SecureInfo | undefined;

  /**
   * What `startTls` uses unless it is told otherwise: the certificates of the server, where it has any. A protocol whose
   * `tlsSessions` are each connection's own gets another one for each, made when it is first asked for; connections
   * beside this one have the same.
   */
  readonly tlsContext: TlsContext | undefined;

  /** Where it is between `accepted` and `closed` (connection/states.ts has the table). */
  readonly state: ConnectionState;

  /** Why it ended; undefined until it is clear. */
  readonly reason: CloseReason | undefined;

  /** What broke it, where something did. */
  readonly error: Error | undefined;

  /** How long ago it was accepted or made, to within a tick of the wheel (a tenth of a second). */
  readonly ageMs: number;

  /** What carries it. */
  readonly transportKind: Transport['kind'];

  /** Bytes from the peer that were for the protocol, of TLS after decryption. */
  readonly receivedBytes: number;

  /** Bytes that the system has taken of what was sent. */
  readonly sentBytes: number;

  /** Bytes written that the peer's side has not taken yet. */
  readonly unsentBytes: number;

  /** True once the server has begun to drain. */
  readonly draining: boolean;

  /**
   * Aborted when the server begins to drain: a handler that would go on without end then ends well before the drain
   * deadline. Made when it is first asked for.
   */
  readonly drainSignal: AbortSignal;

  /**
   * What its protocol says that it is doing, in a few of its words; undefined where it says nothing. A protocol whose sink
   * has `doing` is asked for it; any other sets this. People see it in lists and logs: it is read as one line of at most
   * 160 characters without control characters, and whatever is secret (passwords, the query of a URL) is to be left out.
   */
  doing: string | undefined;

  /** Resolves with the reason when the connection is no more. Never rejects. */
  readonly closed: Promise<CloseReason>;

  /** Starts delivering bytes to `sink`. A later call replaces the sink, for a protocol that changes its language. */
  attach(sink: Sink): void;

  /**
   * Speaks TLS before anything else, and calls `next` once the handshake is done. Nothing is delivered before.
   * `withoutTickets` is for a peer that only sends. In TLS 1.3 session tickets follow the handshake: a peer that closes
   * without having read them has its system reset the connection, and the last bytes it sent are lost. With it none are sent; in TLS
   * 1.2 they are part of the handshake, and stay.
   */
  secureFirst(side: TlsContext | TlsClient, next: () => void, options?: { readonly withoutTickets?: boolean }): void;

  /**
   * Upgrades a connection that began in clear. What was sent before goes out in clear; the sink goes on with what is
   * decrypted. Bytes that the peer sent before it could know of the upgrade are refused: they may be another's,
   * and would be taken for the peer's own once it is trusted. Core sees what it still holds; a sink that keeps bytes of
   * its own tells how many in `unreadBytes`. Rejects with EARLY_PLAINTEXT or TLS_FAILED, and then the connection is
   * destroyed; with WRONG_STATE where there is nothing to upgrade.
   */
  startTls(options?: { readonly context?: TlsContext | TlsClient; readonly unreadBytes?: number }): Promise<SecureInfo>;

  /**
   * Queues bytes for the peer. Returns false when the peer is slower than the writer: wait for `drained`. Strings are
   * latin1 unless told otherwise. The connection owns `data` until it is sent. After our side has ended it does
   * nothing.
   */
  send(data: string | Uint8Array, encoding?: 'latin1' | 'utf8'): boolean;

  /**
   * Sends bytes whose buffer is wanted back, so that a few buffers can carry any amount. `taken` is called once, never
   * before this has returned: when the system has all of them, or with an error when they will not be sent. From then
   * on the buffer is the caller's again. Several may be under way. Returns what `send` returns.
   */
  sendThen(data: Uint8Array, taken: (error: Error | undefined) => void): boolean;

  /**
   * Says that the protocol keeps `content`, to send it piece by piece as the peer takes it, until the function is called
   * that this returns. It counts towards `maxUnsentBytesTotal`; a buffer that is kept for several peers counts once.
   */
  keep(content: string | Uint8Array): () => void;

  /** Between `cork` and `uncork`, sends are gathered into one system call. */
  cork(): void;
  uncork(): void;

  /** Stops delivering bytes; the kernel's window then slows the peer down. */
  pause(): void;

  /** Goes on delivering. */
  resume(): void;

  /**
   * Gives back a chunk that was delivered, when nobody holds it any more: later reads may go into its buffer. Who receives
   * very much saves the garbage collector's work by it; nobody has to.
   */
  reuse(chunk: Uint8Array): void;

  /** The idle limit in force, 0 for none: for a protocol that keeps it by itself. */
  readonly idleTimeoutMs: number;

  /** Sets (or, with 0, clears) the idle limit of this connection. */
  setIdleTimeout(timeoutMs: number): void;

  /**
   * Calls the sink's `deadline` once after `timeoutMs`, unless set again or cleared with 0. One for each connection.
   */
  setDeadline(timeoutMs: number): void;

  /**
   * Says whether the peer is in the middle of a message: while it is, the lowest read rate of the limits holds. A
   * protocol that knows its messages calls this at their beginning and end.
   */
  expectInput(isExpected: boolean): void;

  /**
   * Shuts down one direction. `write`: what is queued, then FIN, and reading goes on. `read`: what still comes is
   * discarded.
   */
  shutdown(direction: 'read' | 'write' | 'both'): void;

  /** Says the last word, if any, and closes lingeringly: the word arrives even when the peer is still sending. */
  end(lastWord?: string | Uint8Array, encoding?: 'latin1' | 'utf8', reason?: CloseReason): void;

  /** Drops the connection at once. Safe to call at any time. */
  destroy(reason?: CloseReason, error?: Error): void;

  /** The same, and the peer sees a reset where the transport has one: TCP, and TLS over it. */
  reset(reason?: CloseReason): void;

  /**
   * The next bytes, or undefined when the peer has ended. `byteLength` asks for exactly so many (fewer only at the
   * end). An aborted read takes nothing. Rejects with OPTION_INVALID where it is no whole number from 0: a length that
   * a peer has said is best checked before.
   */
  read(options?: { readonly byteLength?: number; readonly signal?: AbortSignal }): Promise<Uint8Array | undefined>;

  /**
   * The next line without its CR LF or LF, as UTF-8; undefined at the end. Longer than `maxLineBytes` rejects with
   * LINE_TOO_LONG.
   */
  readLine(options?: { readonly maxLineBytes?: number; readonly signal?: AbortSignal }): Promise<string | undefined>;

  /** The chunks as they come, until the peer ends. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;

  /**
   * Sends (strings as UTF-8) and resolves when there is room for more. Rejects with CONNECTION_CLOSED when it can't be
   * sent. A promise that is dropped is no unhandled rejection: a server logs the first such failure as a warning.
   */
  write(data: string | Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** What `wellknown:connection` carries. */
export interface ConnectionEventMessage {
  readonly connection: Connection;
  readonly from: ConnectionState;
  readonly to: ConnectionState;
  readonly reason: CloseReason | undefined;
}
