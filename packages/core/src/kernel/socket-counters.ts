// Asking the kernel about the sockets that this program owns. Several sockets on one address are counted together, and
// so it is for the process that owns them to ask, not for each worker.

import { open, readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseEndpoint } from '../address/endpoint.ts';
import { backlogOf, dropsOf, isBeyondListening, procAddress } from './proc-net.ts';

/** What the kernel tells of a listener: connections that wait to be accepted, datagrams that it has dropped. */
export interface KernelCounters {
  readonly backlog: number;
  readonly drops: number;
}

/** Tables of /proc/net; empty where the kernel has none. */
const read = async (
  isNeeded: boolean,
  tables: readonly string[],
  readTable: (file: string) => Promise<string>,
): Promise<readonly string[]> =>
  isNeeded ? Promise.all(tables.map((table) => readTable(`/proc/net/${table}`).catch(() => ''))) : [];

const readWhole = (file: string): Promise<string> => readFile(file, 'latin1');

// A page of the kernel's: it gives no more at once.
const CHUNK_BYTES = 4_096;

/** The listening sockets, and a few of the others: of ten thousand connections the kernel would write megabytes. */
async function readListening(file: string): Promise<string> {
  const table = await open(file);
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let text = '';
    while (!isBeyondListening(text)) {
      const { bytesRead } = await table.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      text += chunk.toString('latin1', 0, bytesRead);
    }
    return text;
  } finally {
    await table.close();
  }
}

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
      readListening,
    ),
    read(
      columns.some(({ isDatagram }) => isDatagram),
      ['udp', 'udp6'],
      readWhole,
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
