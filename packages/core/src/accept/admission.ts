// Who may come in, asked for each connection that was accepted: rules for addresses, file descriptors, room, rates, the
// PROXY header, the limits of its address. Whoever may not yet waits here unread; whoever may not at all hears why, in
// the protocol's words.

import type { AccessRules } from './access-rules.ts';
import type { AddressRates } from './address-rates.ts';
import type { TokenBucket } from '../time/token-bucket.ts';
import { formatAddress, limitKey, type Address } from '../address/address.ts';
import type { LeaseVerdict } from './address-ledger.ts';
import type { CidrTable } from '../address/cidr-table.ts';
import type { Connection } from '../connection/connection.ts';
import type { CloseReason } from '../connection/states.ts';
import type { DescriptorBudget } from './descriptor-budget.ts';
import type { Protocol, ServiceContext } from '../protocol.ts';
import type { ListenerTally, Registry } from './registry.ts';
import { logFailedHandler, serveConnection } from './serve-connection.ts';
import type { TlsContext } from '../connection/tls-context.ts';

/** Asks the ledger of all workers for a place, and gives it back. */
export interface Leases {
  ask(key: string): Promise<LeaseVerdict>;
  release(key: string): void;
}

export interface AdmissionOptions {
  readonly protocol: Protocol;
  readonly context: ServiceContext;
  readonly registry: Registry;
  readonly leases?: Leases;
  /** The registry has no more room. */
  readonly onFull?: () => void;
  /** A connection has closed: there is room. */
  readonly onRoom?: () => void;
  readonly tls?: TlsContext;
  readonly access?: AccessRules;
  /** Peers that must send a PROXY header first. All others never may: what they send is for the protocol. */
  readonly proxies?: CidrTable<true>;
  /** How fast connections may be accepted; who comes faster waits. */
  readonly rate?: TokenBucket;
  /** How fast one address may connect, where no ledger of all workers knows. */
  readonly addressRates?: AddressRates;
  readonly descriptors?: DescriptorBudget;
}

/** What is true of every connection of one listener. */
export interface ListenerTraits {
  /** The path of a unix listener. */
  readonly unixPath?: string;
  readonly tls: boolean;
  /** The local address of its connections, where it is the same for all and known. */
  readonly local?: Address;
  /** What is counted of its connections. */
  readonly tally: ListenerTally;
}

type Refusal = Extract<CloseReason, 'address-limit' | 'address-rate' | 'queue-limit' | 'denied' | 'descriptor-limit'>;

/**
 * A refusal in the two words that protocols know: it is the peer's doing, or the server's state. `denied` is said by
 * silence.
 */
const REFUSAL_WORDS = {
  'address-limit': 'address-limit',
  'address-rate': 'address-limit',
  'queue-limit': 'queue-limit',
  'descriptor-limit': 'queue-limit',
} as const;

// At most one line of log in so long for what a flood repeats.
const ALARM_COOLDOWN_MS = 5_000;

/** The way of a connection from accept to its protocol, for one service in one process. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #emptied: () => void;
  readonly #waiting: (() => void)[] = [];
  #isPaced = false;
  #alarmedAtMs = Number.NEGATIVE_INFINITY;
  #draining = false;

  /** `emptied` is called when the last connection is out. */
  constructor(options: AdmissionOptions, emptied: () => void) {
    this.#options = options;
    this.#emptied = emptied;
  }

  /** A connection was accepted; `descriptor` is the number of its file descriptor, -1 where it is not known. */
  arrived(connection: Connection, traits: ListenerTraits, descriptor: number): void {
    const { registry, descriptors, access, proxies } = this.#options;
    registry.countAccepted(traits.tally);
    const isProxy = proxies?.match(connection.peer) !== undefined;
    // A trusted proxy is let in as such; the rules are for the client that it names.
    if (!isProxy && access !== undefined && this.#isDenied(connection, access, traits)) return;
    const budget = descriptors?.verdict(descriptor) ?? 'serve';
    if (budget !== 'serve') {
      this.#lackDescriptors(connection, traits, budget);
      return;
    }
    if (!registry.isFull && this.#waiting.length === 0 && this.#mayPass()) {
      this.#admit(connection, traits, isProxy);
      return;
    }
    if (!registry.startWaiting(traits.tally)) {
      this.#refuse(connection, traits, 'queue-limit');
      return;
    }
    this.#waiting.push(() => {
      registry.stopWaiting(traits.tally);
      this.#admit(connection, traits, isProxy);
    });
  }

  /** The registry has another size. */
  resized(): void {
    this.#noteFull();
    this.#madeRoom();
  }

  /** A connection that came in has closed. */
  closed(connection: Connection, tally: ListenerTally): void {
    const { protocol, registry, leases, context } = this.#options;
    logFailedHandler(protocol, connection, context.log);
    const lease = registry.remove(connection, tally);
    if (lease !== undefined) leases?.release(lease);
    this.#madeRoom();
  }

  /** Lets in whoever waits, and tells everybody, now and from now on, that the server drains. */
  drain(): void {
    this.#draining = true;
    for (const open of this.#waiting.splice(0)) open();
    for (const connection of [...this.#options.registry.connections()]) connection.startDrain();
  }

  #isDenied(connection: Connection, access: AccessRules, { tally }: ListenerTraits): boolean {
    const { allowed, rule } = access.decide(connection.remote);
    if (allowed) return false;
    this.#options.registry.countClosed('denied', tally);
    this.#options.context.log.debug(
      { peer: formatAddress(connection.remote), rule: rule ?? 'no rule allows it', reason: 'denied' },
      'turned away',
    );
    connection.destroy('denied');
    return true;
  }

  #lackDescriptors(connection: Connection, traits: ListenerTraits, budget: 'refuse' | 'drop'): void {
    const { context, descriptors } = this.#options;
    const nowMs = context.clock.nowMs();
    if (nowMs - this.#alarmedAtMs >= ALARM_COOLDOWN_MS) {
      this.#alarmedAtMs = nowMs;
      context.log.warn(
        { limit: descriptors?.limit },
        'hardly any file descriptors are left, connections are turned away: raise the limit of open files, or lower --max-connections',
      );
    }
    this.#refuse(connection, traits, 'descriptor-limit');
    // The word has left as far as the kernel takes it; to wait for the peer would cost a descriptor.
    if (budget === 'drop') connection.destroy('descriptor-limit');
  }

  /**
   * Takes one from the rate. When there is none, those that wait are looked at again once a quarter of a second's worth
   * is there.
   */
  #mayPass(): boolean {
    const { rate, context, onFull } = this.#options;
    if (rate === undefined) return true;
    const nowMs = context.clock.nowMs();
    if (rate.take(nowMs)) return true;
    if (this.#isPaced) return false;
    this.#isPaced = true;
    // Others may have some left.
    onFull?.();
    context.clock.after(rate.waitMs(nowMs, Math.max(1, rate.perSecond / 4)), () => {
      this.#isPaced = false;
      this.#madeRoom();
    });
    return false;
  }

  #admit(connection: Connection, traits: ListenerTraits, isProxy: boolean): void {
    if (!isProxy) {
      this.#admitClient(connection, traits);
      return;
    }
    const { registry, access } = this.#options;
    // It has its place in the total while it speaks; on whose account is known only then.
    registry.hold(connection, limitKey(connection.peer));
    this.#noteFull();
    connection.readProxyHeader(() => {
      // Of itself (LOCAL) a proxy may always speak.
      if (connection.proxyHeader?.source !== undefined && access?.decide(connection.remote).allowed === false) {
        registry.withdraw(connection);
        this.#isDenied(connection, access, traits);
        this.#madeRoom();
      } else this.#admitClient(connection, traits);
    });
  }

  #admitClient(connection: Connection, traits: ListenerTraits): void {
    const { registry, leases, addressRates, context } = this.#options;
    const key = limitKey(connection.remote);
    const verdict = registry.addressVerdict(key);
    if (verdict === 'refuse') this.#turnAway(connection, traits, 'address-limit');
    else if (verdict === 'ask') {
      if (leases === undefined) this.#turnAway(connection, traits, 'address-limit');
      else void this.#lease(connection, key, leases, traits);
    } else if (addressRates !== undefined && !addressRates.take(key, context.clock.nowMs()))
      this.#turnAway(connection, traits, 'address-rate');
    else {
      registry.add(connection, key);
      this.#noteFull();
      this.#serve(connection, traits);
    }
  }

  async #lease(connection: Connection, key: string, leases: Leases, traits: ListenerTraits): Promise<void> {
    const { registry } = this.#options;
    registry.hold(connection, key);
    this.#noteFull();
    const verdict = await leases.ask(key);
    if (verdict !== 'granted') {
      // One that has closed meanwhile is counted already.
      if (connection.state !== 'closed') this.#turnAway(connection, traits, verdict);
      return;
    }
    if (registry.grant(connection)) this.#serve(connection, traits);
    else leases.release(key);
  }

  #serve(connection: Connection, traits: ListenerTraits): void {
    const { tls } = this.#options;
    if (traits.tls && tls !== undefined) connection.secureFirst(tls, () => this.#open(connection));
    else this.#open(connection);
  }

  #open(connection: Connection): void {
    serveConnection(this.#options.protocol, connection, this.#options.context);
    if (this.#draining) connection.startDrain();
  }

  /** Refuses one that may hold a place in the total. */
  #turnAway(connection: Connection, traits: ListenerTraits, reason: Exclude<Refusal, 'denied'>): void {
    this.#options.registry.withdraw(connection);
    this.#refuse(connection, traits, reason);
    this.#madeRoom();
  }

  #refuse(connection: Connection, traits: ListenerTraits, reason: Exclude<Refusal, 'denied'>): void {
    const { protocol, registry, context } = this.#options;
    registry.countClosed(reason, traits.tally);
    context.log.debug({ peer: formatAddress(connection.remote), reason }, 'turned away');
    // Before a handshake there is no word that the peer would understand.
    connection.end(traits.tls ? undefined : protocol.refusal?.(REFUSAL_WORDS[reason]), 'latin1', reason);
  }

  #noteFull(): void {
    if (this.#options.registry.isFull) this.#options.onFull?.();
  }

  #madeRoom(): void {
    const { registry, onRoom } = this.#options;
    while (this.#waiting.length > 0 && !registry.isFull && !this.#isPaced && this.#mayPass()) this.#waiting.shift()?.();
    if (this.#waiting.length === 0 && !registry.isFull && !this.#isPaced) onRoom?.();
    if (registry.openCount === 0) this.#emptied();
  }
}
