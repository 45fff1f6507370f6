// Where a program may listen that can't be asked which port it got.

import { once } from 'node:events';
import net from 'node:net';

export interface UnusedAddress {
  /**
   * An address of this machine that no other process takes its ports from: another process that asks for any port
   * doesn't get this one.
   */
  readonly host: string;
  /** Free on `host` when it was given out. */
  readonly port: number;
}

/** A TCP port for a program that is not ours. Linux only: there, every address of 127.0.0.0/8 is this machine. */
export async function unusedAddress(): Promise<UnusedAddress> {
  const { pid } = process;
  const host = `127.${128 + ((pid >> 16) & 127)}.${(pid >> 8) & 255}.${pid & 255}`;
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return { host, port };
}
