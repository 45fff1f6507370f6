// `wellknown ping udp://HOST:PORT`: options in, probes out, a report on stdout. While it runs, a terminal sees one line
// on stderr.

import { fail, ok, WellknownError, type Result } from '@wellknown/core';
import { parseEndpoint } from '@wellknown/core/endpoint';
import {
  answer,
  parseOptions,
  readNumber,
  usageError,
  type Help,
  type OptionSpec,
  type OptionValues,
} from '@wellknown/core/cli';
import { MIN_PROBE_BYTES, probe, PROBE_LIMITS, type ProbeOptions, type ProbeReport } from '@wellknown/echo-udp';
import { liveLine, reportJson, reportTable } from './ping-report.ts';

const PROGRAM = 'wellknown ping';
const PING_SUMMARY = 'Sends datagrams to an echo and reports loss, duplicates, reordering and round trips.';

const OPTIONS: readonly OptionSpec[] = [
  { name: 'count', argument: 'N', help: 'probes to send; 0 until Ctrl-C (default 10)' },
  { name: 'interval', argument: 'SECONDS', help: 'between two probes, from 0.001 (default 1)' },
  {
    name: 'size',
    argument: 'BYTES',
    help: `of a probe, from ${MIN_PROBE_BYTES.echo} to ${PROBE_LIMITS.maxBytes} (default 64)`,
  },
  { name: 'timeout', argument: 'SECONDS', help: 'an answer that takes longer is lost, up to 60 (default 2)' },
  {
    name: 'stamp',
    help: `the other end is a STAMP reflector (RFC 8762); probes then have at least ${MIN_PROBE_BYTES.stamp} bytes`,
  },
  { name: 'json', help: 'prints one JSON object instead of the table' },
];

const EXIT_FAILURE = 1;
// A terminal that does not tell its width says 0.
const FALLBACK_COLUMNS = 80;

interface PingRequest {
  readonly target: string;
  readonly options: ProbeOptions;
  readonly asJson: boolean;
}

/**
 * Runs the command and sets the exit status: 0 when at least one answer came, 1 when none did, 2 for a bad command
 * line.
 */
export async function runPing(argv: readonly string[]): Promise<void> {
  const parsed = parseOptions(argv, OPTIONS, 'ENDPOINT');
  if (parsed.ok && typeof parsed.value === 'string') {
    answer(parsed.value, describePing());
    return;
  }
  const request =
    parsed.ok && typeof parsed.value === 'object' ? readRequest(parsed.value) : fail(parsed.ok ? '' : parsed.error);
  if (!request.ok) {
    usageError(PROGRAM, request.error);
    return;
  }
  const { target, options, asJson } = request.value;
  const stop = new AbortController();
  // A second Ctrl-C does not wait for what is on its way.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => (stop.signal.aborted ? process.exit(EXIT_FAILURE) : stop.abort()));
  const isWatched = process.stderr.isTTY;
  const show = (report: ProbeReport): void =>
    void process.stderr.write(`\r\x1b[K${liveLine(report, process.stderr.columns || FALLBACK_COLUMNS)}`);
  try {
    const report = await probe(target, { ...options, signal: stop.signal, ...(isWatched ? { onProgress: show } : {}) });
    if (isWatched) process.stderr.write('\r\x1b[K');
    process.stdout.write(asJson ? reportJson(report) : reportTable(report));
    if (report.received === 0) process.exitCode = EXIT_FAILURE;
  } catch (error) {
    process.stderr.write(`${PROGRAM}: ${error instanceof WellknownError ? error.message : String(error)}\n`);
    process.exitCode = EXIT_FAILURE;
  }
  // The signal handlers would not keep the process, but a caller's might; the work is done.
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
}

/** What there is to tell of it. */
export const describePing = (): Help => ({
  program: PROGRAM,
  usage: '[options] udp://HOST:PORT',
  summary: PING_SUMMARY,
  examples: [
    { line: 'udp://127.0.0.1:8007', does: 'Ask the echo of this machine ten times' },
    { line: 'udp://192.0.2.1:7 --count 1000 --interval 10ms', does: 'A thousand probes, a hundred in a second' },
    { line: 'udp://192.0.2.1:862 --stamp --json', does: 'Leave out the time inside the reflector; the result as JSON' },
  ],
  groups: [{ title: 'Options', options: OPTIONS }],
  exitStatus: '0 when at least one answer came, 1 when none did, 2 for a bad command line.',
});

function readRequest(values: OptionValues): Result<PingRequest, string> {
  const target = values.positional;
  if (target === undefined) return fail('the endpoint is missing, as in udp://127.0.0.1:8007');
  const endpoint = parseEndpoint(target);
  if (!endpoint.ok) return fail(endpoint.error.message);
  if (endpoint.value.scheme !== 'udp' || endpoint.value.host === '' || endpoint.value.port === 0)
    return fail(`endpoint '${target}': expected udp://HOST:PORT`);
  const kind = values.has('stamp') ? 'stamp' : 'echo';
  const count = readNumber(values, 'count', { whole: true, min: 0, max: 2 ** 32 - 1 });
  if (!count.ok) return count;
  const interval = readNumber(values, 'interval', { min: PROBE_LIMITS.minIntervalMs / 1000, max: 86_400 });
  if (!interval.ok) return interval;
  const size = readNumber(values, 'size', { whole: true, min: MIN_PROBE_BYTES[kind], max: PROBE_LIMITS.maxBytes });
  if (!size.ok) return size;
  const timeout = readNumber(values, 'timeout', { min: 0.001, max: PROBE_LIMITS.maxTimeoutMs / 1000 });
  if (!timeout.ok) return timeout;
  return ok({
    target,
    asJson: values.has('json'),
    options: {
      kind,
      ...(count.value === undefined ? {} : { count: count.value === 0 ? Number.POSITIVE_INFINITY : count.value }),
      ...(interval.value === undefined ? {} : { intervalMs: interval.value * 1000 }),
      ...(size.value === undefined ? {} : { bytes: size.value }),
      ...(timeout.value === undefined ? {} : { timeoutMs: timeout.value * 1000 }),
    },
  });
}
