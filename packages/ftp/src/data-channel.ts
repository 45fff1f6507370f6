// How a control connection gets its data connections: core opens them, in passive mode on a port of ours, in active
// mode to a port of the client's. Core drops peers from other addresses on a passive port (RFC 2577 §3).

import type { Clock, Connection, SecondaryConnections } from '@wellknown/core';
import { DataConnection } from './data-connection.ts';
import type { HostPort } from './host-port.ts';

/** A data connection that is to be: a listener that waits, or an address to connect to. */
export interface DataChannel {
  /** The one connection; rejects when none comes in time or the signal aborts. */
  open(signal: AbortSignal): Promise<DataConnection>;
  /** Gives up the port, and drops a client that has connected. Does nothing after `open` has resolved. */
  close(): void;
}

export interface PassiveChannel extends DataChannel {
  readonly port: number;
}

export interface DataChannels {
  /** Listens on the control connection's own address; undefined when no port is free. */
  listen(): Promise<PassiveChannel | undefined>;
  /** Nothing happens on the network before `open`. */
  connect(to: HostPort): DataChannel;
}

export interface DataChannelOptions {
  /** The first and last port for passive connections, both included; by default the system chooses. */
  readonly passivePorts?: { readonly from: number; readonly to: number } | undefined;
  /** From PASV to the client's connection, and from the transfer command to ours. */
  readonly connectTimeoutMs: number;
  /** A data connection on which nothing moves for so long is dropped. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

// What a transfer has under way: three buffers of 256 KiB, twice as long with CR LF, and some room.
const MAX_UNSENT_BYTES = 2 * 1024 * 1024;

/** The data channels of one control connection. */
export function createDataChannels(
  control: Connection,
  secondary: SecondaryConnections,
  { passivePorts, connectTimeoutMs, stallTimeoutMs, clock }: DataChannelOptions,
): DataChannels {
  const options = {
    connectTimeoutMs,
    limits: { idleTimeoutMs: stallTimeoutMs, writeTimeoutMs: stallTimeoutMs, maxUnsentBytes: MAX_UNSENT_BYTES },
  };
  return {
    async listen() {
      const listener = await secondary.listen(control, { ...options, ports: passivePorts });
      if (listener === undefined) return undefined;
      return {
        port: listener.port,
        open: async (signal) => new DataConnection(await listener.accept(signal), clock),
        close: () => listener.close(),
      };
    },
    connect: (to) => ({
      open: async (signal) => new DataConnection(await secondary.connect(control, to, { ...options, signal }), clock),
      close: () => undefined,
    }),
  };
}
