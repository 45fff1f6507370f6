// Asking the kernel about the sockets that this program owns. Several sockets on one address are counted together, and so it
// is for the process that owns them to ask, not for each worker.

import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseEndpoint } from './endpoint.ts';
import { backlogOf, dropsOf, procAddress } from './kernel-sockets.ts';

type CountInText = (procText: string, addresses: ReadonlySet<string>) => number;

async function count(endpoints: readonly string[], isDatagram: boolean, tables: readonly string[], countIn: CountInText): Promise<number> {
  const addresses = new Set<string>();
  for (const text of endpoints) {
    const parsed = parseEndpoint(text);
    if (!parsed.ok || parsed.value.scheme === 'unix' || (parsed.value.scheme === 'udp') !== isDatagram) continue;
    const column = procAddress(parsed.value.host, parsed.value.port, endianness() === 'LE');
    if (column !== undefined) addresses.add(column);
  }
  if (addresses.size === 0) return 0;
  const texts = await Promise.all(tables.map((table) => readFile(`/proc/net/${table}`, 'latin1').catch(() => '')));
  return texts.reduce((sum, text) => sum + countIn(text, addresses), 0);
}

/** What the kernel has dropped so far on the datagram sockets of these endpoints (text form); 0 where it does not tell. */
export const kernelDrops = (endpoints: readonly string[]): Promise<number> => count(endpoints, true, ['udp', 'udp6'], dropsOf);

/** How many connections wait in the kernel for somebody to accept them on these endpoints; 0 where it does not tell. */
export const kernelBacklog = (endpoints: readonly string[]): Promise<number> => count(endpoints, false, ['tcp', 'tcp6'], backlogOf);
