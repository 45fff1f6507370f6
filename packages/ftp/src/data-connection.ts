// What a transfer needs from the network, without saying how it is done; data-channel.ts does it with sockets.

import type { Address } from '@wellknown/core';
import type { HostPort } from './host-port.ts';

/** An open data connection. Every method rejects once the connection is broken or destroyed. */
export interface DataConnection {
  /** Resolves when the system has taken the bytes and the buffer is free again. */
  write(chunk: Uint8Array): Promise<void>;
  /** Everything that has arrived, or undefined at the peer's end. The chunks belong to the caller. */
  read(): Promise<Uint8Array[] | undefined>;
  /** Sends what is queued and the end; resolves when the system has taken it all. The peer gets a moment to close. */
  finish(): Promise<void>;
  /** Drops the connection. Safe to call at any time. */
  destroy(): void;
}

/** A data connection that is to be: a listener that waits, or an address to connect to. */
export interface DataChannel {
  /** The one connection; rejects when none comes in time or the signal says stop. */
  open(signal: AbortSignal): Promise<DataConnection>;
  /** Gives up the port and whoever has connected. Does nothing after `open` has resolved. */
  close(): void;
}

export interface PassiveChannel extends DataChannel {
  readonly port: number;
}

export interface DataChannels {
  /** Listens on the control connection's own address; undefined when no port is free. Strangers are dropped. */
  listen(control: { readonly local: Address; readonly remote: Address }): Promise<PassiveChannel | undefined>;
  /** Nothing happens on the network before `open`. */
  connect(control: { readonly local: Address }, to: HostPort): DataChannel;
}
