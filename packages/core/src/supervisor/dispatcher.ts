// Accepting in the primary: takes a connection unread, gives it to a worker, and keeps its own copy until the worker
// has said that it took it. A worker that dies before that loses nothing: the connection goes to another.

import type { DispatchPolicy } from '../options.ts';
import type net from 'node:net';
import { limitKey, socketAddress } from '../address/address.ts';
import { chooseTarget, type DispatchTarget } from './dispatch-policy.ts';
import type { DescriptorBudget } from '../accept/descriptor-budget.ts';
import { acceptFrom, type Accepting } from '../kernel/accept-from.ts';
import { descriptorOf } from '../kernel/stream-handle.ts';
import type { ConnectionCounters } from '../observe/status.ts';

export interface DispatcherOptions {
  readonly policy: DispatchPolicy;
  /** Accepted connections that may wait for a worker; the next one is turned away. */
  readonly maxWaiting: number;
  /** Workers that are ready and have room. */
  readonly targets: () => readonly Omit<DispatchTarget, 'open'>[];
  readonly send: (workerId: number, connection: number, socket: net.Socket) => void;
  /** Those of the primary: what waits for workers holds some of them. */
  readonly descriptors?: DescriptorBudget;
  /**
   * Says why, and closes; it is counted already. `isLast`: there are no descriptors left to wait for the peer with.
   */
  readonly turnAway: (socket: net.Socket, reason: TurnedAway, isLast: boolean) => void;
  /** The system could not accept a connection. */
  readonly failed: (error: Error) => void;
}

/** Why the primary itself turns a connection away. */
export type TurnedAway = 'queue-limit' | 'descriptor-limit';

interface Waiting {
  readonly connection: number;
  readonly socket: net.Socket;
  readonly peer: string;
}

const peerOf = (socket: net.Socket): string => limitKey(socketAddress(socket.remoteAddress, socket.remotePort));

let lastConnection = 0;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #accepting: Accepting[] = [];
  #waiting: Waiting[] = [];
  /** Sent and not yet taken. */
  readonly #sent = new Map<number, Waiting & { readonly workerId: number }>();
  /** Taken and still open: which worker has it. */
  readonly #taken = new Map<number, number>();
  #turn = 0;
  #isClosed = false;
  readonly #turnedAway: Partial<Record<TurnedAway, number>> = {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * What it holds for workers that have no room yet, and what it turned away. No worker has counted
   * either.
   */
  counters(): ConnectionCounters {
    const waiting = this.#waiting.length;
    const turnedAway = Object.values(this.#turnedAway).reduce((sum, count) => sum + count, 0);
    return { open: 0, waiting, accepted: waiting + turnedAway, closed: { ...this.#turnedAway } };
  }

  listen(handle: net.Socket, backlog: number, keepAliveMs: number): Promise<void> {
    const accepting = acceptFrom(handle, {
      backlog,
      unread: true,
      // The worker sets it.
      noDelay: false,
      keepAliveMs,
      accepted: (socket) => this.#accepted(socket),
      failed: this.#options.failed,
    });
    this.#accepting.push(accepting);
    return accepting.listening;
  }

  /** Gives out what waits; to be called whenever a worker has become ready or has room again. */
  pump(): void {
    if (this.#isClosed) {
      for (const { socket } of this.#waiting.splice(0)) socket.destroy();
      return;
    }
    const counts = new Map<number, number>();
    for (const workerId of this.#taken.values()) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    for (const { workerId } of this.#sent.values()) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    while (this.#waiting.length > 0) {
      const targets = this.#options
        .targets()
        .map(({ workerId, slot }) => ({ workerId, slot, open: counts.get(workerId) ?? 0 }));
      const [next] = this.#waiting;
      if (next === undefined) return;
      const target = chooseTarget(this.#options.policy, targets, next.peer, (this.#turn += 1));
      if (target === undefined) return;
      this.#waiting.shift();
      if (next.socket.destroyed) continue;
      counts.set(target.workerId, target.open + 1);
      this.#sent.set(next.connection, { ...next, workerId: target.workerId });
      this.#options.send(target.workerId, next.connection, next.socket);
    }
  }

  /** The worker has it: our copy goes, which the peer does not notice. */
  taken(connection: number): void {
    const sent = this.#sent.get(connection);
    if (sent === undefined) return;
    this.#sent.delete(connection);
    this.#taken.set(connection, sent.workerId);
    sent.socket.destroy();
  }

  /** The worker has not taken it: another one gets it, before those that came later. */
  returned(connection: number): void {
    const sent = this.#sent.get(connection);
    if (sent === undefined) return;
    this.#sent.delete(connection);
    this.#waiting.unshift(sent);
    this.pump();
  }

  closed(connection: number): void {
    this.#taken.delete(connection);
  }

  /** What the dead worker had not taken goes to another. */
  exited(workerId: number): void {
    const orphans = [...this.#sent.values()].filter((sent) => sent.workerId === workerId);
    for (const orphan of orphans) this.#sent.delete(orphan.connection);
    for (const [connection, holder] of this.#taken) if (holder === workerId) this.#taken.delete(connection);
    this.#waiting = [...orphans, ...this.#waiting];
    this.pump();
  }

  /** It has been closed, and nothing that it has sent can come back any more. */
  get isDone(): boolean {
    return this.#isClosed && this.#sent.size === 0;
  }

  /** Stops accepting; what no worker has taken is closed, also what comes back later. */
  close(): void {
    this.#isClosed = true;
    for (const accepting of this.#accepting.splice(0)) accepting.close();
    this.pump();
  }

  #accepted(socket: net.Socket): void {
    // A peer that resets while it waits must not end the primary.
    socket.on('error', () => undefined);
    const { descriptors, maxWaiting, turnAway } = this.#options;
    const budget = descriptors?.verdict(descriptorOf(socket)) ?? 'serve';
    // What is on its way to a worker is held here too: it may come back.
    const held = this.#waiting.length + this.#sent.size;
    const reason = budget !== 'serve' ? 'descriptor-limit' : held >= maxWaiting ? 'queue-limit' : undefined;
    if (reason !== undefined) {
      this.#turnedAway[reason] = (this.#turnedAway[reason] ?? 0) + 1;
      turnAway(socket, reason, budget === 'drop');
      return;
    }
    lastConnection += 1;
    this.#waiting.push({ connection: lastConnection, socket, peer: peerOf(socket) });
    this.pump();
  }
}
