import { DEFAULT_DATAGRAM_LIMITS, fail, ok, type Protocol, type Result } from '@wellknown/core';
import { readNumber, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import { DEFAULT_GUARD, type GuardOptions } from './datagram-guard.ts';
import { echoProtocol } from './protocol.ts';
import { smallServiceProtocol, SMALL_SERVICE_NAMES, SMALL_SERVICES } from './small-services.ts';
import { DEFAULT_SOURCE_POLICY } from './source-policy.ts';

// The most that one IPv4 datagram can carry.
const LARGEST_DATAGRAM_BYTES = 65_507;

/** The subcommand `echo`, and the program `wellknown-echo-udp`. */
export const echoCommand: ServerCommand = {
  name: 'echo',
  summary: 'Sends back what it gets (RFC 862) over UDP; --listen tcp://… adds the TCP half.',
  examples: [
    { line: '--port-offset 8000', does: 'Echo datagrams, on this machine only, port 8007' },
    { line: '--listen udp://:7 --listen tcp://:7', does: 'Echo both, for everybody' },
    { line: '--listen udp://:7 --also stamp', does: 'Reflect measurements too (wellknown ping --stamp)' },
  ],
  options: [
    {
      name: 'also',
      argument: 'NAMES',
      withoutInetd: 'they listen, and only the one connection is served',
      help: `further small services, each on its own port: ${SMALL_SERVICE_NAMES.map((name) => `${name} (${SMALL_SERVICES[name].port})`).join(', ')}`,
    },
    {
      name: 'min-source-port',
      argument: 'N',
      help: `datagrams from lower ports are dropped: services, not clients (default ${DEFAULT_SOURCE_POLICY.minSourcePort})`,
    },
    {
      name: 'rate',
      argument: 'N',
      help: `datagrams a second that one source may have answered, in each worker (default ${DEFAULT_GUARD.ratePerSource})`,
    },
    {
      name: 'total-rate',
      argument: 'N',
      help: `the same for all sources together, over all workers (default ${DEFAULT_GUARD.totalRate})`,
    },
    {
      name: 'max-unbroken',
      argument: 'N',
      help: `after so many answers to one source without a pause of a second one datagram is dropped, which ends loops; 0: never (default ${DEFAULT_GUARD.maxUnbrokenAnswers})`,
    },
    {
      name: 'receive-buffer',
      argument: 'BYTES',
      help: `asked of the kernel for each socket, which grants at most net.core.rmem_max (default ${DEFAULT_DATAGRAM_LIMITS.receiveBufferBytes})`,
    },
    {
      name: 'max-datagram',
      argument: 'BYTES',
      help: `longer ones are dropped, at most ${LARGEST_DATAGRAM_BYTES} (default ${DEFAULT_SOURCE_POLICY.maxDatagramBytes}, one Ethernet frame)`,
    },
  ],
  defaultScheme: 'udp',
  schemes: ['udp', 'tcp', 'tls', 'unix'],
  build(values) {
    const guard = readGuard(values);
    const withBuffer = readBuffer(values);
    if (!withBuffer.ok) return Promise.resolve(withBuffer);
    return Promise.resolve(guard.ok ? ok(withBuffer.value(echoProtocol(guard.value))) : guard);
  },
  companions(values) {
    const guard = readGuard(values);
    if (!guard.ok) return guard;
    const withBuffer = readBuffer(values);
    if (!withBuffer.ok) return withBuffer;
    const names = (values.text('also') ?? '').split(',').filter((name) => name !== '');
    const unknown = names.find((name) => !Object.hasOwn(SMALL_SERVICES, name));
    if (unknown !== undefined) return fail(`--also names '${unknown}', allowed are ${SMALL_SERVICE_NAMES.join(', ')}`);
    return ok(
      SMALL_SERVICE_NAMES.filter((name) => names.includes(name)).map((name) =>
        withBuffer.value(smallServiceProtocol(name, guard.value)),
      ),
    );
  },
};

// 2 GiB less one: what fits into the kernel's int.
const LARGEST_BUFFER_BYTES = 2 ** 31 - 1;

/** What the receive buffer asked for makes of a protocol. */
function readBuffer(values: OptionValues): Result<(protocol: Protocol) => Protocol, string> {
  const receiveBufferBytes = readNumber(values, 'receive-buffer', { whole: true, min: 0, max: LARGEST_BUFFER_BYTES });
  if (!receiveBufferBytes.ok) return receiveBufferBytes;
  const { value } = receiveBufferBytes;
  return ok((protocol) =>
    value === undefined ? protocol : { ...protocol, datagramLimits: { receiveBufferBytes: value } },
  );
}

function readGuard(values: OptionValues): Result<GuardOptions, string> {
  const minSourcePort = readNumber(values, 'min-source-port', { whole: true, min: 1, max: 65_535 });
  if (!minSourcePort.ok) return minSourcePort;
  const ratePerSource = readNumber(values, 'rate', { min: 1 });
  if (!ratePerSource.ok) return ratePerSource;
  const totalRate = readNumber(values, 'total-rate', { min: 1 });
  if (!totalRate.ok) return totalRate;
  const maxUnbrokenAnswers = readNumber(values, 'max-unbroken', { whole: true, min: 0 });
  if (!maxUnbrokenAnswers.ok) return maxUnbrokenAnswers;
  const maxDatagramBytes = readNumber(values, 'max-datagram', { whole: true, min: 0, max: LARGEST_DATAGRAM_BYTES });
  if (!maxDatagramBytes.ok) return maxDatagramBytes;
  return ok({
    ...(minSourcePort.value === undefined ? {} : { minSourcePort: minSourcePort.value }),
    ...(ratePerSource.value === undefined ? {} : { ratePerSource: ratePerSource.value }),
    ...(totalRate.value === undefined ? {} : { totalRate: totalRate.value }),
    ...(maxUnbrokenAnswers.value === undefined ? {} : { maxUnbrokenAnswers: maxUnbrokenAnswers.value }),
    ...(maxDatagramBytes.value === undefined ? {} : { maxDatagramBytes: maxDatagramBytes.value }),
  });
}
