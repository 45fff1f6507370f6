// Who is admitted, asked for each connection that was accepted: rules for addresses, file descriptors, room, rates, the
// PROXY header, the limits of its address. One that is not admitted yet waits here unread; one that is turned away is
// told why, where the handler has words for it.

import { formatAddress, limitKey } from '../address/address.ts';
import type { CloseReason } from '../connection/states.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../time/clock.ts';
import { CoolDown } from '../time/cool-down.ts';
import type { TokenBucket } from '../time/token-bucket.ts';
import type { AcceptHandler, Accepted, ListenerTraits, Refusal } from './accept-handler.ts';
import type { AccessRules } from '../address/access-rules.ts';
import type { LeaseVerdict } from './address-ledger.ts';
import type { AddressRates } from './address-rates.ts';
import type { DescriptorBudget } from './descriptor-budget.ts';
import type { ListenerTally, Registry } from './registry.ts';

/** Asks the ledger of all workers for a place, and gives it back. */
export interface Leases {
  ask(key: string): Promise<LeaseVerdict>;
  release(key: string): void;
}

export interface AdmissionOptions<Member extends Accepted> {
  readonly log: Logger;
  readonly clock: Clock;
  readonly registry: Registry<Member>;
  readonly handler: AcceptHandler<Member>;
  readonly leases?: Leases;
  /** The registry has no more room. */
  readonly onFull?: () => void;
  /** A connection has closed: there is room. */
  readonly onRoom?: () => void;
  readonly access?: AccessRules;
  /** How fast connections may be accepted; what comes faster waits. */
  readonly rate?: TokenBucket;
  /** How fast one address may connect, where no ledger of all workers knows. */
  readonly addressRates?: AddressRates;
  readonly descriptors?: DescriptorBudget;
}

interface Waiting<Member> {
  readonly member: Member;
  readonly traits: ListenerTraits;
  readonly isProxy: boolean;
}

// At most one line of log in so long for what a flood repeats.
const ALARM_COOLDOWN_MS = 5_000;
/**
 * So many that were turned away may take their time to close. Each that does so at once takes a round trip, so that this is
 * hundreds in a second; those who never do hold as many descriptors and no more.
 */
export const MAX_REFUSED = 32;

/** The way of a connection from accept to what serves it, for one service in one process. */
export class Admission<Member extends Accepted> {
  readonly #options: AdmissionOptions<Member>;
  readonly #idle: () => void;
  readonly #waiting: Waiting<Member>[] = [];
  #isPaced = false;
  #isCallingUp = false;
  readonly #alarm = new CoolDown(ALARM_COOLDOWN_MS);
  #draining = false;
  /** Those turned away that have not closed yet. */
  readonly #refused = new Set<Member>();

  /** `idle` is called when there is none any more, open or waiting. */
  constructor(options: AdmissionOptions<Member>, idle: () => void) {
    this.#options = options;
    this.#idle = idle;
  }

  /** None is open, and none waits. */
  get isIdle(): boolean {
    return this.#options.registry.openCount === 0 && this.#waiting.length === 0;
  }

  /** One was accepted; `descriptor` is the number of its file descriptor, -1 where it is not known. */
  arrived(member: Member, traits: ListenerTraits, descriptor: number): void {
    const { registry, descriptors, access, handler } = this.#options;
    registry.countAccepted(traits.tally);
    const isProxy = handler.proxies?.isProxy(member) === true;
    // A trusted proxy is admitted as such; the rules are for the client that it names.
    if (!isProxy && access !== undefined && this.#isDenied(member, access, traits)) return;
    const budget = descriptors?.verdict(descriptor) ?? 'serve';
    if (budget !== 'serve') {
      this.#lackDescriptors(member, traits, budget);
      return;
    }
    if (!registry.isFull && this.#waiting.length === 0 && this.#mayPass()) {
      this.#admit(member, traits, isProxy);
      return;
    }
    if (registry.startWaiting(traits.tally)) this.#waiting.push({ member, traits, isProxy });
    else this.#refuse(member, traits, 'queue-limit');
  }

  /** The registry has another size. */
  resized(): void {
    this.#noteFull();
    this.#madeRoom();
  }

  /** One that was accepted has closed, whether it was admitted or not. */
  closed(member: Member, tally: ListenerTally): void {
    const { registry, leases } = this.#options;
    this.#refused.delete(member);
    const lease = registry.remove(member, tally);
    if (lease !== undefined) leases?.release(lease);
    this.#madeRoom();
  }

  /** Tells all, now and from now on, that the server drains. */
  drain(): void {
    const { registry, handler } = this.#options;
    this.#draining = true;
    if (handler.drainAdmitsWaiting) for (const waiting of this.#waiting.splice(0)) this.#callUp(waiting);
    for (const member of [...registry.connections()]) member.startDrain();
  }

  /** Ends all that are open or wait. */
  cut(reason: CloseReason): void {
    const { registry } = this.#options;
    for (const { member, traits } of this.#waiting.splice(0)) {
      registry.stopWaiting(traits.tally);
      registry.countClosed(reason, traits.tally);
      member.destroy(reason);
    }
    for (const member of [...registry.connections()]) member.destroy(reason);
  }

  #isDenied(member: Member, access: AccessRules, { tally }: ListenerTraits): boolean {
    const { allowed, rule } = access.decide(member.remote);
    if (allowed) return false;
    this.#options.registry.countClosed('denied', tally);
    this.#options.log.debug(
      { peer: formatAddress(member.remote), rule: rule ?? 'no rule allows it', reason: 'denied' },
      'turned away',
    );
    member.destroy('denied');
    return true;
  }

  #lackDescriptors(member: Member, traits: ListenerTraits, budget: 'refuse' | 'drop'): void {
    const { log, clock, descriptors } = this.#options;
    if (this.#alarm.passes(clock.nowMs())) {
      log.warn(
        { limit: descriptors?.limit },
        'hardly any file descriptors are left, connections are turned away: raise the limit of open files, or lower --max-connections',
      );
    }
    this.#refuse(member, traits, 'descriptor-limit');
    // The word has left as far as the kernel takes it; to wait for the peer would cost a descriptor.
    if (budget === 'drop') member.destroy('descriptor-limit');
  }

  /**
   * Takes one from the rate. When there is none, those that wait are looked at again once a quarter of a second's worth
   * is there.
   */
  #mayPass(): boolean {
    const { rate, clock, onFull } = this.#options;
    if (rate === undefined) return true;
    const nowMs = clock.nowMs();
    if (rate.take(nowMs)) return true;
    if (this.#isPaced) return false;
    this.#isPaced = true;
    // Other workers may have some left.
    onFull?.();
    clock.after(rate.waitMs(nowMs, Math.max(1, rate.perSecond / 4)), () => {
      this.#isPaced = false;
      this.#madeRoom();
    });
    return false;
  }

  #callUp({ member, traits, isProxy }: Waiting<Member>): void {
    this.#options.registry.stopWaiting(traits.tally);
    this.#admit(member, traits, isProxy);
  }

  #admit(member: Member, traits: ListenerTraits, isProxy: boolean): void {
    const { proxies } = this.#options.handler;
    if (!isProxy || proxies === undefined) {
      this.#admitClient(member, traits);
      return;
    }
    const { registry, access } = this.#options;
    // It has its place in the total while it speaks; on which address it counts is known only then.
    registry.hold(member, limitKey(member.remote));
    this.#noteFull();
    proxies.readHeader(member, () => {
      // Of itself a proxy may always speak: LOCAL must be accepted (§2.2). A client of which it can't say the address
      // (UNKNOWN, UNSPEC) is one nevertheless, and the connection's own address counts for it.
      if (access?.decide(member.remote).allowed === false && !proxies.speaksForItself(member)) {
        registry.withdraw(member);
        this.#isDenied(member, access, traits);
        this.#madeRoom();
      } else this.#admitClient(member, traits);
    });
  }

  #admitClient(member: Member, traits: ListenerTraits): void {
    const { registry, leases, addressRates, clock } = this.#options;
    const key = limitKey(member.remote);
    // All clients of a unix socket have the same address, which says nothing of who they are.
    const hasAddress = member.remote.family !== 'unix';
    const verdict = hasAddress ? registry.addressVerdict(key) : 'open';
    if (verdict === 'refuse') this.#turnAway(member, traits, 'address-limit');
    else if (verdict === 'ask') {
      if (leases === undefined) this.#turnAway(member, traits, 'address-limit');
      else void this.#lease(member, key, leases, traits);
    } else if (hasAddress && addressRates !== undefined && !addressRates.take(key, clock.nowMs()))
      this.#turnAway(member, traits, 'address-rate');
    else {
      registry.add(member, key);
      this.#noteFull();
      this.#serve(member, traits);
    }
  }

  async #lease(member: Member, key: string, leases: Leases, traits: ListenerTraits): Promise<void> {
    const { registry } = this.#options;
    registry.hold(member, key);
    this.#noteFull();
    const verdict = await leases.ask(key);
    if (verdict !== 'granted') {
      // One that has closed meanwhile is counted already.
      if (registry.holds(member)) this.#turnAway(member, traits, verdict);
      return;
    }
    if (registry.grant(member)) this.#serve(member, traits);
    else leases.release(key);
  }

  #serve(member: Member, traits: ListenerTraits): void {
    this.#options.handler.serve(member, traits);
    if (this.#draining) member.startDrain();
  }

  /** Refuses one that may hold a place in the total. */
  #turnAway(member: Member, traits: ListenerTraits, reason: Refusal): void {
    this.#options.registry.withdraw(member);
    this.#refuse(member, traits, reason);
    this.#madeRoom();
  }

  #refuse(member: Member, traits: ListenerTraits, reason: Refusal): void {
    const { registry, handler, log } = this.#options;
    registry.countClosed(reason, traits.tally);
    log.debug({ peer: formatAddress(member.remote), reason }, 'turned away');
    this.#refused.add(member);
    handler.refuse(member, traits, reason);
    // The word has left as far as the kernel takes it; those who do not close would hold the descriptors of others.
    if (this.#refused.size > MAX_REFUSED) member.destroy(reason);
  }

  #noteFull(): void {
    if (this.#options.registry.isFull) this.#options.onFull?.();
  }

  #madeRoom(): void {
    // One that is called up and turned away makes room again: the loop below sees it.
    if (this.#isCallingUp) return;
    const { registry, onRoom } = this.#options;
    this.#isCallingUp = true;
    while (this.#waiting.length > 0 && !registry.isFull && !this.#isPaced && this.#mayPass()) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.#callUp(next);
    }
    this.#isCallingUp = false;
    if (this.#waiting.length === 0 && !registry.isFull && !this.#isPaced) onRoom?.();
    if (this.isIdle) this.#idle();
  }
}
