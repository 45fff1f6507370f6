/** How one datagram socket is bounded. A service on all addresses has one socket for each. */
export interface DatagramLimits {
  /**
   * The receive buffer asked of the kernel, for each socket; it grants at most net.core.rmem_max. 0: the system's own.
   */
  readonly receiveBufferBytes: number;
  /** Answers that wait in this process because the kernel takes no more; beyond it they are dropped, never queued. */
  readonly maxSendQueueBytes: number;
  /** Datagrams that an asynchronous receiver may be at work on; beyond it they are dropped. */
  readonly maxInFlight: number;
}

export const DEFAULT_DATAGRAM_LIMITS: DatagramLimits = {
  // A thousand datagrams: what arrives in a pause of ten to thirty milliseconds at full load. More would only make
  // answers late.
  receiveBufferBytes: 1024 * 1024,
  // Beyond this the network is slower than the senders: an answer would only arrive late.
  maxSendQueueBytes: 1024 * 1024,
  maxInFlight: 1024,
};

/** What a datagram service has seen. Every datagram that arrived is in `received` or in `droppedByKernel`. */
export interface DatagramCounters {
  readonly received: number;
  /** Handed to the kernel. */
  readonly sent: number;
  /** Not sent: `maxSendQueueBytes` were waiting. */
  readonly droppedQueueFull: number;
  /** Not looked at: the source is a multicast, broadcast or unspecified address, or port 0. */
  readonly droppedSource: number;
  /** Not looked at: `maxInFlight` were being worked on. */
  readonly droppedBusy: number;
  /** Arrived and thrown away before this program saw them: the receive buffer was full, or the checksum was wrong. */
  readonly droppedByKernel: number;
  /** Refused by the kernel when they were sent: no route, a firewall, a datagram that is too long for the path. */
  readonly failedSends: number;
  /** The protocol failed on them. */
  readonly failed: number;
}

export const NO_DATAGRAMS: DatagramCounters = {
  received: 0,
  sent: 0,
  droppedQueueFull: 0,
  droppedSource: 0,
  droppedBusy: 0,
  droppedByKernel: 0,
  failedSends: 0,
  failed: 0,
};

/** The sum of two sockets, or of two workers. */
export function addDatagramCounters(a: DatagramCounters, b: DatagramCounters): DatagramCounters {
  return {
    received: a.received + b.received,
    sent: a.sent + b.sent,
    droppedQueueFull: a.droppedQueueFull + b.droppedQueueFull,
    droppedSource: a.droppedSource + b.droppedSource,
    droppedBusy: a.droppedBusy + b.droppedBusy,
    droppedByKernel: a.droppedByKernel + b.droppedByKernel,
    failedSends: a.failedSends + b.failedSends,
    failed: a.failed + b.failed,
  };
}
