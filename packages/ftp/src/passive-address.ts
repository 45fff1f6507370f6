// Which IPv4 address PASV names (EPSV names none): by default the one that the client has reached; for a server behind
// NAT the one that its clients see.

import { WellknownError, type Address, type Clock, type Connection, type Logger } from '@wellknown/core';
import { CidrTable, isIpv4, isIpv6 } from '@wellknown/core/endpoint';
import { resolveIpv4 } from './resolve-ipv4.ts';

/** An address for the client of this connection; undefined where there is none. */
export type PassiveAddress = (connection: Pick<Connection, 'local' | 'remote'>) => Promise<string | undefined>;

/**
 * An IPv4 address, or a name that has one; by the client's network, as in `{ '10.0.0.0/8': '10.0.0.5' }`, in which the most
 * specific range wins and a client in none is told what it has reached; or a function, which is asked for each PASV.
 */
export type PassiveAddressOption =
  | string
  | Readonly<Record<string, string>>
  | ((client: { readonly remote: Address; readonly local: Address }) => string | Promise<string>);

// Dynamic addresses change rarely, and each name is asked for again soon after.
const RESOLVE_AGAIN_MS = 60_000;
const MAX_KNOWN_NAMES = 1_000;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

const reached: PassiveAddress = ({ local }) => Promise.resolve(local.family === 'ipv4' ? local.address : undefined);

/** Throws OPTION_INVALID for what can be no address and no name. Names are resolved when they are needed. */
export function passiveAddressOf(option: PassiveAddressOption | undefined, clock: Clock, log: Logger): PassiveAddress {
  if (option === undefined) return reached;
  const names = new NameCache(clock, log);
  if (typeof option === 'function')
    return async ({ local, remote }) => names.addressOf(await option({ local, remote }));
  if (typeof option === 'string') {
    requireHost(option);
    return () => names.addressOf(option);
  }
  const table = new CidrTable<string>();
  for (const [range, host] of Object.entries(option)) {
    requireHost(host);
    const added = table.add(range, host);
    if (!added.ok) throw invalid(added.error);
  }
  return (client) => {
    const host = table.match(client.remote)?.value;
    return host === undefined ? reached(client) : names.addressOf(host);
  };
}

/** No address and no name of one. */
export const invalidHost = (host: string): boolean =>
  !isIpv4(host) && (isIpv6(host) || !HOST_NAME.test(host) || /^[\d.]+$/.test(host));

function requireHost(host: string): void {
  if (invalidHost(host)) throw invalid(`'${host}' is not an IPv4 address, and no name that could have one`);
}

const invalid = (problem: string): WellknownError =>
  new WellknownError('OPTION_INVALID', `passiveAddress: ${problem}`, { fault: 'local' });

class NameCache {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #known = new Map<string, { readonly address: string; readonly untilMs: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  async addressOf(host: string): Promise<string | undefined> {
    if (isIpv4(host)) return host;
    const known = this.#known.get(host);
    const nowMs = this.#clock.nowMs();
    if (known !== undefined && known.untilMs > nowMs) return known.address;
    try {
      const address = await resolveIpv4(host);
      // A function may give as many names as it likes.
      if (this.#known.size >= MAX_KNOWN_NAMES) this.#known.clear();
      this.#known.set(host, { address, untilMs: nowMs + RESOLVE_AGAIN_MS });
      return address;
    } catch (error) {
      this.#log.error({ err: error, host }, 'the address for PASV cannot be resolved');
      // A name server that is away for a moment is no reason to send clients elsewhere.
      return known?.address;
    }
  }
}
