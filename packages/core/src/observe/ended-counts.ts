// Several servers under one set of metrics, where some of them end before the others. Pure.

import { METRICS, type MetricFamily, type Sample } from './metric-families.ts';
import type { ServerStatus } from './status.ts';

/** What a server says now, or said at its end. */
export interface TakenStatus {
  readonly status: ServerStatus;
  readonly hasEnded: boolean;
}

/**
 * What servers that are gone had counted. A counter must not fall: what is counted on by another one under the same labels
 * stays in the sum. A series that nobody counts on is told no more.
 */
export class EndedCounts {
  /** By metric and labels. */
  readonly #counts = new Map<string, Map<string, number>>();

  add(last: ServerStatus): void {
    for (const { name, type, samples } of METRICS) {
      if (type !== 'counter') continue;
      const counts = this.#counts.get(name) ?? new Map<string, number>();
      this.#counts.set(name, counts);
      for (const { labels, value } of samples(last)) {
        const key = keyOf(labels);
        counts.set(key, (counts.get(key) ?? 0) + value);
      }
    }
  }

  /** The samples of one metric over all servers, one for each set of labels. */
  join({ name, type, isOfProcess, samples }: MetricFamily, all: readonly TakenStatus[]): readonly Sample[] {
    const living = new Map<string, Sample>();
    for (const { labels, value } of all.flatMap(({ status, hasEnded }) => (hasEnded ? [] : samples(status)))) {
      const key = keyOf(labels);
      const before = living.get(key)?.value;
      const joined = before === undefined ? value : isOfProcess === true ? Math.max(before, value) : before + value;
      living.set(key, { labels, value: joined });
    }
    if (type !== 'counter') return [...living.values()];
    const counts = this.#counts.get(name);
    for (const key of counts?.keys() ?? []) if (!living.has(key)) counts?.delete(key);
    const leaving = all.flatMap(({ status, hasEnded }) => (hasEnded ? samples(status) : []));
    return [...living].map(([key, { labels, value }]) => ({
      labels,
      value: leaving
        .filter((sample) => keyOf(sample.labels) === key)
        .reduce((sum, sample) => sum + sample.value, value + (counts?.get(key) ?? 0)),
    }));
  }
}

const keyOf = (labels: Sample['labels']): string => JSON.stringify(labels);
