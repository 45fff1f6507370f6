// Asking the kernel about the sockets that this program owns. Several sockets on one address are counted together, and
// so it is for the process that owns them to ask, not for each worker.

import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseEndpoint } from '../address/endpoint.ts';
import { backlogOf, dropsBySocket, dropsOf, isBeyondListening, procAddress } from './proc-net.ts';

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

const DATAGRAM_TABLES = ['udp', 'udp6'];

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

/** What the tables have in their column of addresses. Unix sockets stand in none of them. */
const columnsOf = (
  endpoints: readonly string[],
): { readonly text: string; readonly isDatagram: boolean; readonly address: ReadonlySet<string> }[] =>
  endpoints.flatMap((text) => {
    const parsed = parseEndpoint(text);
    if (!parsed.ok || parsed.value.scheme === 'unix') return [];
    const column = procAddress(parsed.value.host, parsed.value.port, endianness() === 'LE');
    return column === undefined
      ? []
      : [{ text, isDatagram: parsed.value.scheme === 'udp', address: new Set([column]) }];
  });

/**
 * Of each endpoint (text form): how many connections wait to be accepted, and what the kernel has dropped
 * so far of its datagrams. 0 where it does not tell.
 */
export async function kernelCounters(endpoints: readonly string[]): Promise<ReadonlyMap<string, KernelCounters>> {
  const columns = columnsOf(endpoints);
  const [streams, datagrams] = await Promise.all([
    read(
      columns.some(({ isDatagram }) => !isDatagram),
      ['tcp', 'tcp6'],
      readListening,
    ),
    read(
      columns.some(({ isDatagram }) => isDatagram),
      DATAGRAM_TABLES,
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

/** A listener of this program: its endpoint in text form, and the service that has it now. */
export interface OwnedListener {
  readonly service: string;
  readonly endpoint: string;
}

/**
 * What the kernel tells of a program's listeners, over its whole life. The kernel counts drops for as long as a socket is
 * open, and here they stay counted, for the service that had it then.
 */
export class ListenerCounters {
  /** By the socket's inode. */
  #seen: ReadonlyMap<string, number> = new Map();
  /** By service and endpoint. */
  readonly #drops = new Map<string, Map<string, number>>();
  #reading: Promise<readonly string[]> | undefined;

  /** Of all listeners; the result is asked for each service. */
  async read(listeners: readonly OwnedListener[]): Promise<(service: string) => ReadonlyMap<string, KernelCounters>> {
    const streams = listeners.map(({ endpoint }) => endpoint).filter((endpoint) => !isDatagram(endpoint));
    const [kernel] = await Promise.all([kernelCounters(streams), this.#countLater(listeners)]);
    return (service) => {
      const drops = this.#drops.get(service);
      const endpoints = new Set([...kernel.keys(), ...(drops?.keys() ?? [])]);
      return new Map(
        [...endpoints].map((endpoint) => [
          endpoint,
          { backlog: kernel.get(endpoint)?.backlog ?? 0, drops: drops?.get(endpoint) ?? 0 },
        ]),
      );
    };
  }

  /**
   * To be called before one of them is closed or changes hands: what was dropped until now is counted then. It waits for
   * the kernel, 50 ms where the machine has five thousand such sockets, so it is not for what is asked often.
   */
  count(listeners: readonly OwnedListener[]): void {
    const datagrams = listeners.filter(({ endpoint }) => isDatagram(endpoint));
    if (datagrams.length > 0) this.#count(datagrams, DATAGRAM_TABLES.map(readNow));
  }

  /** The same without waiting for the kernel. One read at a time, so that no older one comes after a newer one. */
  async #countLater(listeners: readonly OwnedListener[]): Promise<void> {
    const datagrams = listeners.filter(({ endpoint }) => isDatagram(endpoint));
    if (datagrams.length === 0) return;
    const seen = this.#seen;
    this.#reading ??= read(true, DATAGRAM_TABLES, readWhole).finally(() => (this.#reading = undefined));
    const tables = await this.#reading;
    // Sockets have been closed or changed hands since, and were counted then.
    if (this.#seen === seen) this.#count(datagrams, tables);
  }

  #count(datagrams: readonly OwnedListener[], tables: readonly string[]): void {
    const owners = new Map<string, OwnedListener>();
    for (const owned of datagrams)
      for (const { address } of columnsOf([owned.endpoint])) for (const column of address) owners.set(column, owned);
    const seen = new Map<string, number>();
    for (const { address, inode, drops } of tables.flatMap((table) => dropsBySocket(table, owners))) {
      const { service, endpoint } = owners.get(address) ?? { service: '', endpoint: '' };
      const counted = this.#drops.get(service) ?? new Map<string, number>();
      this.#drops.set(service, counted);
      counted.set(endpoint, (counted.get(endpoint) ?? 0) + drops - (this.#seen.get(inode) ?? 0));
      seen.set(inode, drops);
    }
    // Those that are closed are forgotten: the kernel may give their numbers to others.
    this.#seen = seen;
  }
}

const isDatagram = (endpoint: string): boolean => endpoint.startsWith('udp:');

const readNow = (table: string): string => {
  try {
    return readFileSync(`/proc/net/${table}`, 'latin1');
  } catch {
    return '';
  }
};
