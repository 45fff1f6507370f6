// The datagram side of one service in one process: its sockets, and what was counted on them, also on those that were
// taken back.

import type dgram from 'node:dgram';
import type { AccessRules } from '../address/access-rules.ts';
import { addDatagramCounters, NO_DATAGRAMS, type DatagramCounters } from '../datagram/limits.ts';
import { serveDatagrams, type DatagramService } from '../datagram/socket.ts';
import type { ResolvedService } from '../resolved-options.ts';
import type { Protocol, ServiceContext } from '../protocol.ts';

interface Served {
  /** The endpoint: another socket may have had it before. */
  readonly name: string;
  readonly service: DatagramService;
}

export class ServiceDatagrams {
  readonly #service: ResolvedService;
  readonly #context: ServiceContext;
  readonly #byListener = new Map<number, Served>();
  /** Taken back, until what they are at work on is answered. */
  readonly #leaving = new Set<Served>();
  /** Of those that are closed, by name. */
  readonly #past = new Map<string, DatagramCounters>();

  constructor(service: ResolvedService, context: ServiceContext) {
    this.#service = service;
    this.#context = context;
  }

  serve(listener: number, name: string, socket: dgram.Socket): void {
    const { access, protocol, datagramLimits } = this.#service;
    const service = serveDatagrams(
      socket,
      access === undefined ? protocol : withAccess(protocol, access),
      this.#context,
      datagramLimits,
    );
    this.#byListener.set(listener, { name, service });
  }

  /** Stops receiving on one, which closes once it has answered, or after `graceMs`. False: it has none of that number. */
  takeBack(listener: number, graceMs: number): boolean {
    const served = this.#byListener.get(listener);
    if (served === undefined) return false;
    this.#byListener.delete(listener);
    this.#leaving.add(served);
    void served.service.close(graceMs).then(() => {
      this.#leaving.delete(served);
      add(this.#past, served);
    });
    return true;
  }

  /** What was taken back is answered. */
  get isIdle(): boolean {
    return this.#leaving.size === 0;
  }

  /** Resolves when all are closed. May be called again with less. */
  async drain(graceMs: number): Promise<void> {
    await Promise.all([...this.#byListener.values(), ...this.#leaving].map(({ service }) => service.close(graceMs)));
  }

  /** By the name of the listener. */
  counters(): ReadonlyMap<string, DatagramCounters> {
    const sum = new Map(this.#past);
    for (const served of [...this.#byListener.values(), ...this.#leaving]) add(sum, served);
    return sum;
  }
}

function add(sum: Map<string, DatagramCounters>, { name, service }: Served): void {
  sum.set(name, addDatagramCounters(sum.get(name) ?? NO_DATAGRAMS, service.counters));
}

/** Drops datagrams of sources that the rules forbid, before the protocol sees them. */
function withAccess(protocol: Protocol, access: AccessRules): Protocol {
  const { datagrams } = protocol;
  if (datagrams === undefined) return protocol;
  return {
    ...protocol,
    datagrams(socket, context) {
      const receive = datagrams.call(protocol, socket, context);
      return (message, source) => {
        if (access.decide(source.address).allowed) return receive(message, source);
        context.counters.denied = (context.counters.denied ?? 0) + 1;
        return undefined;
      };
    },
  };
}
