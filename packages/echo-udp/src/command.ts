import { fail, ok } from '@wellknown/core';
import { readNumber, type ServerCommand } from '@wellknown/core/command';
import { echoProtocol } from './protocol.ts';

// The most that one IPv4 datagram can carry.
const LARGEST_DATAGRAM_BYTES = 65_507;

/** The subcommand `echo`, and the program `wellknown-echo-udp`. */
export const echoCommand: ServerCommand = {
  name: 'echo',
  summary: 'Sends back what it gets (RFC 862) over UDP; --listen tcp://… adds the TCP half.',
  options: [
    { name: 'min-source-port', argument: 'N', help: 'datagrams from lower ports are dropped: services, not clients (default 1024)' },
    { name: 'rate', argument: 'N', help: 'datagrams a second that one source may have answered (default 100)' },
    { name: 'max-datagram', argument: 'BYTES', help: `longer ones are dropped, at most ${LARGEST_DATAGRAM_BYTES} (default 1472, one Ethernet frame)` },
  ],
  defaultScheme: 'udp',
  schemes: ['udp', 'tcp', 'unix'],
  build(values) {
    const minSourcePort = readNumber(values, 'min-source-port', { whole: true, min: 1, max: 65_535 });
    const rate = readNumber(values, 'rate', { min: 1 });
    const maxDatagram = readNumber(values, 'max-datagram', { whole: true, min: 0, max: LARGEST_DATAGRAM_BYTES });
    if (!minSourcePort.ok) return Promise.resolve(fail(minSourcePort.error));
    if (!rate.ok) return Promise.resolve(fail(rate.error));
    if (!maxDatagram.ok) return Promise.resolve(fail(maxDatagram.error));
    return Promise.resolve(ok(echoProtocol({
      ...(minSourcePort.value === undefined ? {} : { minSourcePort: minSourcePort.value }),
      ...(rate.value === undefined ? {} : { ratePerSource: rate.value }),
      ...(maxDatagram.value === undefined ? {} : { maxDatagramBytes: maxDatagram.value }),
    })));
  },
};
