// What `wellknown ping` prints, as text. Pure.

import { DEFAULT_GUARD, type ProbeReport } from '@wellknown/echo-udp';

const MOST_A_SECOND = DEFAULT_GUARD.ratePerSource;

const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1)} ms`;

/** The share of the probes whose fate is known. */
const lossPercent = ({ received, lost }: ProbeReport): number =>
  received + lost === 0 ? 0 : (lost / (received + lost)) * 100;

/** One line that is overwritten while the probes are on their way; at most `columns` wide. */
export function liveLine(report: ProbeReport, columns: number): string {
  const { sent, received, duplicates, reordered, roundTripMs } = report;
  const parts = [`${sent} sent`, `${received} received`, `${lossPercent(report).toFixed(1)}% lost`];
  if (duplicates > 0) parts.push(`${duplicates} twice`);
  if (reordered > 0) parts.push(`${reordered} reordered`);
  if (roundTripMs !== undefined)
    parts.push(`p50 ${milliseconds(roundTripMs.p50)}`, `max ${milliseconds(roundTripMs.max)}`);
  return parts.join('  ').slice(0, Math.max(0, columns - 1));
}

/** The table at the end: what always matters, then what should not have happened and did. */
export function reportTable(report: ProbeReport): string {
  const {
    target,
    bytes,
    sent,
    received,
    lost,
    duplicates,
    reordered,
    late,
    corrupted,
    refused,
    unsent,
    droppedHere,
    roundTripMs,
    durationMs,
  } = report;
  const rows: [string, string][] = [
    ['sent', `${sent} of ${bytes} bytes in ${(durationMs / 1000).toFixed(1)} s`],
    ['received', String(received)],
    ['lost', `${lost} (${lossPercent(report).toFixed(2)}%)`],
    ['duplicates', String(duplicates)],
    ['reordered', String(reordered)],
  ];
  const troubles: readonly (readonly [string, number])[] = [
    ['late, after they were lost', late],
    ['changed on the way', corrupted],
    ['refused: port closed', refused],
    ['not sent by this machine', unsent],
    ['dropped by this machine', droppedHere],
  ];
  for (const [name, count] of troubles) if (count > 0) rows.push([name, String(count)]);
  if (roundTripMs !== undefined) {
    const { min, p50, p99, max } = roundTripMs;
    rows.push([
      'round trip',
      `min ${milliseconds(min)}  p50 ${milliseconds(p50)}  p99 ${milliseconds(p99)}  max ${milliseconds(max)}`,
    ]);
  }
  if (lost > 0 && sent > (durationMs / 1000) * MOST_A_SECOND)
    rows.push([
      'note',
      `an echo may limit each source; wellknown's answers ${MOST_A_SECOND} a second unless --rate says otherwise`,
    ]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${target}\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('')}`;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** One JSON object on one line; times in milliseconds, `lostPercent` of the probes whose fate is known. */
export function reportJson(report: ProbeReport): string {
  const { roundTripMs, durationMs, waiting, ...counts } = report;
  return `${JSON.stringify({
    ...counts,
    ...(waiting === 0 ? {} : { waiting }),
    lostPercent: rounded(lossPercent(report), 3),
    durationMs: rounded(durationMs, 0),
    roundTripMs:
      roundTripMs === undefined
        ? null
        : Object.fromEntries(
            Object.entries<number>({ ...roundTripMs }).map(([name, value]) => [name, rounded(value, 3)]),
          ),
  })}\n`;
}
