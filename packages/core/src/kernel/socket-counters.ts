// Asking the kernel about the sockets that this program owns. Several sockets on one address are counted together, and
// so it is for the process that owns them to ask, not for each worker.

import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseEndpoint } from '../address/endpoint.ts';
import { backlogOf, dropsOf, procAddress } from './proc-net.ts';

/** What the kernel tells of a listener: connections that wait to be accepted, datagrams that it has dropped. */
export interface KernelCounters {
  readonly backlog: number;
  readonly drops: number;
}

const read = async (isNeeded: boolean, tables: readonly string[]): Promise<readonly string[]> =>
  isNeeded ? Promise.all(tables.map((table) => readFile(`/proc/net/${table}`, 'latin1').catch(() => ''))) : [];

/**
 * Of each endpoint (text form): how many connections wait to be accepted, and what the kernel has dropped
 * so far of its datagrams. 0 where it does not tell.
 */
export async function kernelCounters(endpoints: readonly string[]): Promise<ReadonlyMap<string, KernelCounters>> {
  const columns = endpoints.flatMap((text) => {
    const parsed = parseEndpoint(text);
    if (!parsed.ok || parsed.value.scheme === 'unix') return [];
    const column = procAddress(parsed.value.host, parsed.value.port, endianness() === 'LE');
    return column === undefined
      ? []
      : [{ text, isDatagram: parsed.value.scheme === 'udp', address: new Set([column]) }];
  });
  const [streams, datagrams] = await Promise.all([
    read(
      columns.some(({ isDatagram }) => !isDatagram),
      ['tcp', 'tcp6'],
    ),
    read(
      columns.some(({ isDatagram }) => isDatagram),
      ['udp', 'udp6'],
    ),
  ]);
  const sum = (tables: readonly string[], count: (table: string) => number): number =>
    tables.reduce((whole, table) => whole + count(table), 0);
  return new Map(
    columns.map(({ text, isDatagram, address }) => [
      text,
      isDatagram
        ? { backlog: 0, drops: sum(datagrams, (table) => dropsOf(table, address)) }
        : { backlog: sum(streams, (table) => backlogOf(table, address)), drops: 0 },
    ]),
  );
}

/** The same for the drops of one endpoint. */
export const kernelDrops = async (endpoint: string): Promise<number> =>
  (await kernelCounters([endpoint])).get(endpoint)?.drops ?? 0;
