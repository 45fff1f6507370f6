// Datagrams of 64 bytes, 64 in flight from one source.

import { fileURLToPath } from 'node:url';
import { compare, runClient, type Subject } from './measure.ts';

const SUBJECTS: readonly Subject[] = [
  { name: 'bare node:dgram', server: 'echo-dgram.mjs' },
  { name: 'wellknown', server: 'echo-wellknown.mjs' },
];
const DATAGRAMS = 150_000;

/** Compares echoed datagrams. */
export async function compareEcho(rounds: number): Promise<void> {
  const client = fileURLToPath(new URL('clients/datagrams.mjs', import.meta.url));
  await compare('UDP echo, 64 bytes', SUBJECTS, (port) => Promise.resolve(Number(runClient(process.execPath, client, String(port), String(DATAGRAMS)))), rounds);
}
