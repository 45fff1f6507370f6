// The sockets that a primary owns: bound by the accept strategy, inherited from a predecessor where there is one,
// assigned to workers, handed on to a successor.

import type dgram from 'node:dgram';
import type net from 'node:net';
import { formatEndpoint, type Endpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import type { Inheritance } from './inheritance.ts';
import { formatListenTarget, type ListenTarget } from '../address/listen-target.ts';
import { bindListener, type BoundListener } from './listener.ts';
import { adoptDescriptor } from './bind-target.ts';
import { descriptorsOf } from './inherited-descriptors.ts';
import { stopReceiving } from '../kernel/datagram-handle.ts';
import { offersReusePort } from '../kernel/stream-handle.ts';

/**
 * How workers get their connections. `inherit-shared`: all accept from one socket that the primary owns.
 * `inherit-sharded`: each slot has a socket of its own with SO_REUSEPORT, also owned by the primary. `inherit`: the
 * better of the two that this Node offers. `dispatch`: the primary accepts and hands over. `cluster-rr`: node:cluster's
 * own way, in which a connection that is handed to a dying worker hangs for ever; for comparison and for programs that
 * rely on it.
 */
export type AcceptStrategy = 'inherit' | 'inherit-shared' | 'inherit-sharded' | 'dispatch' | 'cluster-rr';

export interface SharedSocket {
  readonly id: number;
  readonly service: number;
  /** The slot that its queue belongs to; undefined for a socket that all workers share. */
  readonly slot: number | undefined;
  /** As it was asked for: the key under which a successor finds it. */
  readonly asked: Endpoint;
  /** Of a socket that was passed to the program: the target that named it. */
  readonly passedAs?: string;
  readonly listener: BoundListener;
  readonly via: 'handle' | 'cluster' | 'dispatch';
}

/** Which strategy a listener really gets: `inherit` takes the best that this Node offers for its kind. */
export function strategyFor(
  strategy: AcceptStrategy,
  endpoint: Endpoint,
  workers: number,
): Exclude<AcceptStrategy, 'inherit'> {
  if (endpoint.scheme === 'unix' && (strategy === 'inherit' || strategy === 'inherit-sharded')) return 'inherit-shared';
  // Datagrams are never accepted: each process that has the socket receives.
  if (endpoint.scheme === 'udp' && (strategy === 'dispatch' || strategy === 'cluster-rr')) return 'inherit-shared';
  if (strategy === 'inherit') return offersReusePort && workers > 1 ? 'inherit-sharded' : 'inherit-shared';
  return strategy;
}

export interface BindRequest {
  readonly service: number;
  readonly asked: Endpoint;
  readonly strategy: AcceptStrategy;
  /** The slots that get sockets of their own, where the strategy wants that. */
  readonly slots: readonly number[];
  /** The number of the first socket; the others follow. */
  readonly firstId: number;
  readonly inheritance: Inheritance;
  readonly unixMode: number | undefined;
}

/** Binds one endpoint of a service as its strategy wants. */
export async function bindShared({
  service,
  asked,
  strategy,
  slots,
  firstId,
  inheritance,
  unixMode,
}: BindRequest): Promise<SharedSocket[]> {
  const inherited = inheritance.slotsOf(asked);
  const kind = asInherited(strategyFor(strategy, asked, slots.length), inherited);
  if (kind === 'inherit-sharded' && !offersReusePort && inherited.length === 0) {
    throw new WellknownError(
      'UNSUPPORTED',
      'inherit-sharded needs SO_REUSEPORT, which this Node does not offer on this system',
      {
        fault: 'system',
        hint: 'use Node 22.12 or newer on Linux, or --accept inherit',
      },
    );
  }
  const sockets: SharedSocket[] = [];
  let endpoint = asked;
  try {
    // With SO_REUSEPORT another program of the same user could share the address unnoticed: bind once without, to be
    // told.
    if (
      kind === 'inherit-sharded' &&
      slots[0] === 1 &&
      inherited.length === 0 &&
      asked.scheme !== 'unix' &&
      asked.port !== 0
    )
      await (await bindListener(asked)).close();
    for (const slot of slotsToBind(kind, slots, inherited)) {
      const descriptor = inheritance.take(asked, slot);
      const listener = await bindListener(endpoint, {
        reusePort: slot !== undefined,
        unixMode,
        ...(descriptor === undefined ? {} : { descriptor }),
      });
      // The first shard of port 0 decides for the others.
      endpoint = listener.endpoint;
      sockets.push(
        toShared(
          firstId + sockets.length,
          service,
          slot,
          asked,
          listener,
          kind === 'dispatch' ? 'dispatch' : kind === 'cluster-rr' ? 'cluster' : 'handle',
        ),
      );
    }
  } catch (error) {
    await Promise.all(sockets.map((socket) => socket.listener.close()));
    throw error;
  }
  // node:cluster binds by itself when the workers ask: ours has only found out whether it can, and which port.
  if (kind === 'cluster-rr') await Promise.all(sockets.map((socket) => socket.listener.close()));
  return sockets;
}

/**
 * What a predecessor has bound stays as it is: a socket of all workers, or one for each of its slots, whose queues hold
 * connections. The kernel gives the address for no other kind as long as one of them is open.
 */
function asInherited(
  kind: ReturnType<typeof strategyFor>,
  inherited: readonly (number | undefined)[],
): ReturnType<typeof strategyFor> {
  if (inherited.length === 0 || (kind !== 'inherit-shared' && kind !== 'inherit-sharded')) return kind;
  return inherited.includes(undefined) ? 'inherit-shared' : 'inherit-sharded';
}

function slotsToBind(
  kind: ReturnType<typeof strategyFor>,
  slots: readonly number[],
  inherited: readonly (number | undefined)[],
): readonly (number | undefined)[] {
  const own = inherited.filter((slot) => slot !== undefined);
  if (kind !== 'inherit-sharded') return kind === 'dispatch' && own.length > 0 ? own : [undefined];
  return [...new Set([...(offersReusePort ? slots : []), ...own])].sort((a, b) => a - b);
}

/** Takes over the sockets that were passed to this process. Workers share them; a unix path stays its owner's. */
export async function adoptPassed(
  service: number,
  target: Exclude<ListenTarget, Endpoint>,
  firstId: number,
  inheritance: Inheritance,
): Promise<SharedSocket[]> {
  const sockets: SharedSocket[] = [];
  const passedAs = formatListenTarget(target);
  const inherited = inheritance.takePassed(passedAs);
  for (const descriptor of inherited.length > 0 ? inherited : descriptorsOf(target)) {
    const listener = await adoptDescriptor(target, descriptor);
    sockets.push({
      ...toShared(firstId + sockets.length, service, undefined, listener.endpoint, listener, 'handle'),
      passedAs,
    });
  }
  return sockets;
}

function toShared(
  id: number,
  service: number,
  slot: number | undefined,
  asked: Endpoint,
  listener: BoundListener,
  via: SharedSocket['via'],
): SharedSocket {
  if (listener.socket.type === 'datagram') stopReceiving(listener.socket.socket);
  return { id, service, slot, asked, listener, via };
}

/** What a message to a worker carries along. */
export const handleOf = ({ listener }: SharedSocket): net.Socket | dgram.Socket =>
  listener.socket.type === 'stream' ? listener.socket.handle : listener.socket.socket;

export const urlOf = ({ listener }: SharedSocket): string => formatEndpoint(listener.endpoint);
