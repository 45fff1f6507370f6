// Open connections for a person's eyes. Pure.

import type { OpenConnection } from '@wellknown/core/observe';
import { table } from './status-table.ts';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Three digits at most, as in `1.5 kB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1)} ${BYTE_UNITS[unit] ?? ''}`;
}

const TIME_UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const;

/** In the largest unit of which there is one, rounded down. */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [size, unit] = TIME_UNITS.find(([length]) => seconds >= length) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

export const connectionTable = (connections: readonly OpenConnection[]): string =>
  table([
    ['id', 'service', 'remote', 'local', 'tls', 'is', 'age', 'in', 'out', 'worker', 'doing'],
    ...connections.map(({ id, service, remote, local, tls, state, ageMs, receivedBytes, sentBytes, worker, doing }) => [
      id,
      service,
      remote,
      local,
      tls?.protocol ?? '-',
      state,
      ageMs === undefined ? '-' : ageText(ageMs),
      receivedBytes === undefined ? '-' : bytesText(receivedBytes),
      sentBytes === undefined ? '-' : bytesText(sentBytes),
      String(worker),
      doing ?? '',
    ]),
  ]);
