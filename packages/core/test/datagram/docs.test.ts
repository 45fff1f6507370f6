// docs/datagrams.md tells what the code says.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_DATAGRAM_LIMITS, NO_DATAGRAMS } from '../../src/datagram/limits.ts';
import { MAX_LOCAL_ADDRESSES } from '../../src/address/datagram-addresses.ts';

const read = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

test('every counter of the status has its row', () => {
  const rows = [...read('datagrams.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(Object.keys(NO_DATAGRAMS).sort());
});

test('every limit has its row, with its default', () => {
  const limits = read('limits.md');
  const text = (value: number): string =>
    value % 2 ** 20 === 0 ? `${value / 2 ** 20} MiB` : value === 1_024 ? '1 024' : String(value);
  for (const [name, value] of Object.entries<number>({ ...DEFAULT_DATAGRAM_LIMITS }))
    expect(limits).toContain(`| \`datagramLimits.${name}\` | ${text(value)}`);
  expect(limits).toContain(`| addresses of a \`udp://:PORT\` service | ${MAX_LOCAL_ADDRESSES} |`);
});
