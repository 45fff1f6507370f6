// From where data connections may come.

import { WellknownError } from '@wellknown/core';
import { CidrTable } from '@wellknown/core/endpoint';

/**
 * `control`: only from the address of the control connection (RFC 2577 §4). Ranges: from these too, such as the addresses
 * of a NAT or of a container's proxy. `any`: from everywhere; then only TLS with `tlsSessionReuse: 'require'` keeps others
 * from taking what is for this client.
 */
export type DataPeers = 'control' | 'any' | readonly string[];

/** Whether an address may connect; undefined for `control`, which core decides. Throws OPTION_INVALID. */
export function dataPeersOf(option: DataPeers): ((address: string, client: string) => boolean) | undefined {
  if (option === 'control') return undefined;
  if (option === 'any') return () => true;
  const table = new CidrTable<true>();
  for (const range of option) {
    const added = table.add(range, true);
    if (!added.ok) throw new WellknownError('OPTION_INVALID', `dataPeers: ${added.error}`, { fault: 'local' });
  }
  return (address, client) => address === client || table.match(address) !== undefined;
}
