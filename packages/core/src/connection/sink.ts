import type { CloseReason } from './states.ts';

/** What a protocol attaches to a connection to get its bytes. Only `data` is needed. */
export interface Sink {
  /**
   * Bytes from the peer. The buffer is the sink's from now on: it may keep it, change it, or send it on without a copy.
   */
  data(chunk: Uint8Array): void;
  /** The peer will send no more. Without this method the connection is ended. */
  ended?(): void;
  /** There is room again after `send` returned false. */
  drained?(): void;
  /** The deadline set by `setDeadline` has passed. Without this method the connection is destroyed. */
  deadline?(): void;
  /**
   * The server is draining: finish what is in flight, then end. Without this method the connection may go on to the
   * drain deadline.
   */
  drain?(): void;
  /**
   * What it is doing, in a few words of the protocol (`RETR big.iso`), for who looks at connections; undefined while it
   * waits for its peer. Nothing that is secret; control characters are taken out of it, and it is cut at 160 characters.
   */
  doing?(): string | undefined;
  /** The connection is no more. Called exactly once, last. */
  closed?(reason: CloseReason, error: Error | undefined): void;
}
