// How a control connection gets its data connections: core opens them, in passive mode on a port of ours, in active
// mode to a port of the client's, and drops peers from other addresses on a passive port (RFC 2577 §4). A private one
// begins with a handshake, ours being the server's side in both modes (RFC 4217 §7).

import type { Clock, Connection, Logger, SecondaryConnections } from '@wellknown/core';
import type { DataFailure } from './effects.ts';
import { DataConnection } from './data-connection.ts';
import type { HostPort } from './host-port.ts';
import type { ProtectionLevel } from './session-state.ts';

export interface OpenOptions {
  readonly protection: ProtectionLevel;
  /** An upload that is slowed down keeps no more than this in memory. */
  readonly maxQueuedBytes: number;
  /** Of an upload, as it was announced (ALLO). */
  readonly expectedBytes: number | undefined;
  /** The client only sends. */
  readonly isUpload: boolean;
  /** What the connection is for, for who looks at connections. */
  readonly doing: string;
}

/** A data connection that is to be: a listener that waits, or an address to connect to. */
export interface DataChannel {
  /** The one connection; rejects when none comes in time, its handshake fails, or the signal aborts. */
  open(how: OpenOptions, signal: AbortSignal): Promise<DataConnection>;
  /** Gives up the port, and drops a client that has connected. Does nothing after `open` has resolved. */
  close(): void;
}

export interface PassiveChannel extends DataChannel {
  /** As the client is told. */
  readonly port: number;
}

export interface DataChannels {
  /** Listens on the control connection's own address; undefined when no port is free. */
  listen(): Promise<PassiveChannel | undefined>;
  /** Nothing happens on the network before `open`. */
  connect(to: HostPort): DataChannel;
}

export interface DataChannelOptions {
  /** By default the system chooses. */
  readonly passivePorts?: PassivePorts | undefined;
  /** So long a session waits for a port when all are taken. */
  readonly busyPortWaitMs: number;
  /** Who may connect beside the client; by default nobody. */
  readonly dataPeers?: ((address: string, client: string) => boolean) | undefined;
  /** From PASV to the client's connection, and from the transfer command to ours. */
  readonly connectTimeoutMs: number;
  /** A client that neither sends nor takes anything for so long, while it is waited for, is dropped. */
  readonly stallTimeoutMs: number;
  /** `require`: a private data connection must resume a TLS session of this control connection. */
  readonly tlsSessionReuse: 'offer' | 'require';
  readonly clock: Clock;
  readonly log: Logger;
}

/** The ports of passive connections, both included. */
export interface PassivePorts {
  readonly from: number;
  readonly to: number;
  /** What clients are told for `from`, where a NAT or a container maps the range to another; the rest follows. */
  readonly exposedFrom?: number;
}

/** There is a connection, and it is of no use. */
export class DataChannelError extends Error {
  readonly at: DataFailure;
  constructor(at: DataFailure) {
    super(at);
    this.at = at;
  }
}

// What a transfer has under way: three buffers of 256 KiB, twice as long with CR LF, and some room.
const MAX_UNSENT_BYTES = 2 * 1024 * 1024;

/** The data channels of one control connection. */
export function createDataChannels(
  control: Connection,
  secondary: SecondaryConnections,
  { passivePorts, busyPortWaitMs, dataPeers, connectTimeoutMs, stallTimeoutMs, ...rest }: DataChannelOptions,
): DataChannels {
  const { tlsSessionReuse, clock, log } = rest;
  const { remote } = control;
  const client = remote.family === 'unix' ? '' : remote.address;
  const listenOptions = {
    ports: passivePorts,
    busyPortWaitMs,
    ...(dataPeers === undefined ? {} : { mayConnect: (address: string) => dataPeers(address, client) }),
  };
  const shift = passivePorts?.exposedFrom === undefined ? 0 : passivePorts.exposedFrom - passivePorts.from;
  const options = {
    connectTimeoutMs,
    limits: { writeTimeoutMs: stallTimeoutMs, maxUnsentBytes: MAX_UNSENT_BYTES },
  };

  const opened = async (connection: Connection, how: OpenOptions, signal: AbortSignal): Promise<DataConnection> => {
    connection.doing = how.doing;
    const attach = (): DataConnection =>
      new DataConnection(connection, {
        clock,
        stallTimeoutMs,
        maxQueuedBytes: how.maxQueuedBytes,
        expectedBytes: how.expectedBytes,
      });
    if (how.protection === 'clear') return attach();
    const data = await handshake(connection, { control, withoutTickets: how.isUpload, attach, signal });
    const { secure } = connection;
    log.debug(
      { connection: control.id, tls: secure?.protocol, cipher: secure?.cipher, isResumed: secure?.sessionReused },
      'private data connection',
    );
    if (tlsSessionReuse === 'offer' || secure?.sessionReused === true) return data;
    connection.destroy('protocol-error');
    throw new DataChannelError('not-resumed');
  };

  return {
    async listen() {
      const listener = await secondary.listen(control, { ...options, ...listenOptions });
      if (listener === undefined) return undefined;
      return {
        port: listener.port + shift,
        open: async (how, signal) => opened(await listener.accept(signal), how, signal),
        close: () => listener.close(),
      };
    },
    connect: (to) => ({
      open: async (how, signal) => opened(await secondary.connect(control, to, { ...options, signal }), how, signal),
      close: () => undefined,
    }),
  };
}

interface HandshakeOptions {
  readonly control: Connection;
  readonly withoutTickets: boolean;
  /** Called within the handshake's last step: what comes right behind it, the peer's end too, is for who is attached. */
  readonly attach: () => DataConnection;
  readonly signal: AbortSignal;
}

/**
 * With the context of the control connection: a session that is resumed is one of its own, for no other can be.
 */
function handshake(
  connection: Connection,
  { control, withoutTickets, attach, signal }: HandshakeOptions,
): Promise<DataConnection> {
  const { tlsContext } = control;
  return new Promise((resolve, reject) => {
    const abort = (): void => connection.destroy();
    const settle = (run: () => void): void => {
      signal.removeEventListener('abort', abort);
      run();
    };
    void connection.closed.then(() => settle(() => reject(new DataChannelError('handshake-failed'))));
    signal.addEventListener('abort', abort, { once: true });
    if (tlsContext === undefined || signal.aborted) abort();
    else connection.secureFirst(tlsContext, () => settle(() => resolve(attach())), { withoutTickets });
  });
}
