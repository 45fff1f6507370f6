// RFC 862: whatever comes is sent back, over UDP datagram by datagram, over TCP as a stream.

import { defineProtocol, type Connection, type Protocol, type Sink } from '@wellknown/core';
import { ECHO } from './description.ts';
import { guardedDatagrams, type GuardOptions } from './datagram-guard.ts';

export type EchoOptions = GuardOptions;

/**
 * The echo service, for `createServer`. Answers are never anything but the identical bytes, so that nothing is
 * amplified.
 */
export function echoProtocol(options: EchoOptions = {}): Protocol {
  return defineProtocol({
    ...ECHO,
    open: (connection) => echoSink(connection),
    datagrams: guardedDatagrams(options, () => (message) => message),
  });
}

/** The TCP half. While the peer does not read its echo, nothing more is read from it. */
function echoSink(connection: Connection): Sink {
  return {
    data(chunk) {
      if (!connection.send(chunk)) connection.pause();
    },
    drained: () => connection.resume(),
    drain: () => connection.shutdown('write'),
    doing: () => (connection.unsentBytes > 0 ? `sending ${connection.unsentBytes} bytes back` : undefined),
  };
}
