import { lookup } from 'node:dns/promises';

/** The IPv4 address of a name; rejects when it has none. */
export const resolveIpv4 = async (name: string): Promise<string> => (await lookup(name, { family: 4 })).address;
