// What the server counts of sessions and transfers, for `status` and the metrics.

import type { TransferReport } from './transfer-report.ts';

export const COUNTERS = [
  'logins',
  'failed-logins',
  'downloads',
  'uploads',
  'listings',
  'incomplete-transfers',
  'downloaded-bytes',
  'uploaded-bytes',
] as const;

export type Counter = (typeof COUNTERS)[number];

export function count(counters: Record<string, number>, name: Counter, amount = 1): void {
  counters[name] = (counters[name] ?? 0) + amount;
}

export function countTransfer(
  counters: Record<string, number>,
  { direction, bytes, isComplete }: TransferReport,
): void {
  count(counters, `${direction}s`);
  if (!isComplete) count(counters, 'incomplete-transfers');
  if (direction !== 'listing') count(counters, `${direction}ed-bytes`, bytes);
}
