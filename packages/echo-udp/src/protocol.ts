// RFC 862: whatever comes is sent back, over UDP datagram by datagram, over TCP as a stream.

import { defineProtocol, limitKey, type Connection, type Protocol, type Sink } from '@wellknown/core';
import { RateLimit } from './rate-limit.ts';
import { DEFAULT_SOURCE_POLICY, reasonToDrop, type DropReason, type SourcePolicy } from './source-policy.ts';

export interface EchoOptions extends Partial<SourcePolicy> {
  /** Datagrams a second that one source may have answered. Default 100, with bursts of twice that. */
  readonly ratePerSource?: number;
}

// Enough for a prober at 10 ms, little enough that a forged source is no burden to its owner.
const DEFAULT_RATE_PER_SOURCE = 100;
// About a megabyte of table.
const MAX_SOURCES = 8192;

/** The echo service, for `createServer`. Answers are never anything but the identical bytes, so that nothing is amplified. */
export function echoProtocol(options: EchoOptions = {}): Protocol {
  const { ratePerSource = DEFAULT_RATE_PER_SOURCE, ...given } = options;
  const policy: SourcePolicy = { ...DEFAULT_SOURCE_POLICY, ...given };
  return defineProtocol({
    name: 'echo',
    port: 7,
    open: (connection) => echoSink(connection),
    datagrams(socket, { clock, counters }) {
      const rate = new RateLimit({ perSecond: ratePerSource, burst: ratePerSource * 2, maxSources: MAX_SOURCES });
      const ownPort = socket.local.family === 'unix' ? 0 : socket.local.port;
      const drop = (reason: DropReason): void => {
        const name = `dropped-${reason}`;
        counters[name] = (counters[name] ?? 0) + 1;
      };
      return (message, source) => {
        const reason = reasonToDrop(policy, message.length, source, ownPort);
        if (reason !== undefined) drop(reason);
        else if (!rate.take(rateKey(source.address), clock.nowMs())) drop('rate');
        else if (!socket.send(message, source.port, source.address)) drop('queue-full');
      };
    },
  });
}

const rateKey = (address: string): string => (address.includes(':') ? limitKey({ family: 'ipv6', address, port: 0 }) : address);

/** The TCP half. While the peer does not read its echo, nothing more is read from it. */
function echoSink(connection: Connection): Sink {
  return {
    data(chunk) {
      // The chunk is only lent, and a slow peer's echo waits beyond this call.
      if (!connection.send(chunk.slice())) connection.pause();
    },
    drained: () => connection.resume(),
    drain: () => connection.shutdown('write'),
  };
}
