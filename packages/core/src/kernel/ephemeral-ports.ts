// A port for a listener that may have any.
//
// Asked for port 0 with SO_REUSEADDR, which libuv sets, Linux takes odd ports of the lower half of its range first, and
// walks past each that a connection has left in TIME_WAIT: with seven thousand of those, which is two minutes of sixty
// small files a second, a bind takes half a millisecond where it takes 5 µs (docs/benchmarks.md). A port that is named is
// bound at once, whatever is in TIME_WAIT there.

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface EphemeralPorts {
  readonly from: number;
  readonly to: number;
  /** What the administrator keeps out of the range. */
  readonly reserved: ReadonlySet<number>;
}

const FOLDER = '/proc/sys/net/ipv4';
const MAX_TRIES = 8;

let known: EphemeralPorts | 'unknown' | undefined;

/** One at random, in an order that a peer cannot guess (RFC 2577 §8); 0 where the system does not tell its range. */
export function ephemeralPort(): number {
  known ??= systemPorts() ?? 'unknown';
  return known === 'unknown' ? 0 : portOf(known);
}

/** A port of the range that is not reserved; 0 where nearly all are. */
export function portOf({ from, to, reserved }: EphemeralPorts): number {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = randomInt(from, to + 1);
    if (!reserved.has(port)) return port;
  }
  return 0;
}

function systemPorts(): EphemeralPorts | undefined {
  try {
    const read = (name: string): string => readFileSync(`${FOLDER}/${name}`, 'latin1');
    return readEphemeralPorts(read('ip_local_port_range'), read('ip_local_reserved_ports'));
  } catch {
    // Not Linux, or no /proc.
    return undefined;
  }
}

/** From the texts of ip_local_port_range (`32768 60999`) and ip_local_reserved_ports (`8080,9148-9150`). */
export function readEphemeralPorts(rangeText: string, reservedText: string): EphemeralPorts | undefined {
  const [, from, to] = /^(\d+)\s+(\d+)\s*$/.exec(rangeText) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to)) return undefined;
  const reserved = new Set<number>();
  for (const [, first = '', last = first] of reservedText.matchAll(/(\d+)(?:-(\d+))?/g))
    for (let port = Number(first); port <= Number(last); port += 1) reserved.add(port);
  return { from: Number(from), to: Number(to), reserved };
}
