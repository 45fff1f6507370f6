// A datagram socket in the hands of a program. Datagrams are carried by UDP: Node offers no unix datagrams.
//
// Node receives as soon as something is there. What has not been asked for yet waits in a bounded queue; past the bound
// the newest is dropped and counted, as the kernel does with its own buffer.

import type dgram from 'node:dgram';
import { abortable } from '../abort.ts';
import { requireCount } from '../arguments.ts';
import { formatAddress, type Address } from '../address/address.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { bindListener } from '../listener/listener.ts';
import { explainConnectFailure } from './dial.ts';
import { addressFrom, addressOfHost, unboundFor, type PortEndpoint } from './udp-address.ts';
import { datagramEndpoint } from './socket-address.ts';
import { SocketLifecycle } from './socket-lifecycle.ts';
import {
  closedMeanwhile,
  DATAGRAM_TRANSITIONS,
  DATAGRAM_VERBS,
  type DatagramEvent,
  type DatagramState,
  type DatagramVerb,
} from './socket-state.ts';
import type { VerbOptions } from './stream-socket.ts';
import { BoundedQueue } from './bounded-queue.ts';

export interface Datagram {
  readonly data: Uint8Array;
  readonly from: Address;
}

export interface UdpSocketOptions {
  /** Received datagrams that may wait for `receiveFrom`; the next one is dropped. */
  readonly maxQueued?: number;
  readonly onState?: (state: DatagramState, before: DatagramState) => void;
}

// At most 64 KiB each: 16 MiB when every one of them is as large as a datagram can be.
const DEFAULT_MAX_QUEUED = 256;
// Beyond this the network is slower than the sender, and `isReady` says so.
const FULL_SEND_QUEUE_BYTES = 1024 * 1024;

/** Made by `socket('datagram')`. */
export class UdpSocket implements AsyncDisposable {
  readonly type = 'datagram';
  readonly #queue: BoundedQueue<Datagram>;
  readonly #lifecycle: SocketLifecycle<DatagramState, DatagramVerb, DatagramEvent>;
  #socket: dgram.Socket | undefined;
  #binding: Promise<unknown> | undefined;
  #remote: Address | undefined;
  #dropped = 0;
  /** What the kernel reported and no verb has thrown yet (SO_ERROR): an unreachable port of a connected peer. */
  #pendingError: Error | undefined;

  constructor(options: UdpSocketOptions = {}) {
    this.#lifecycle = new SocketLifecycle({
      socket: this,
      type: 'datagram',
      verbs: DATAGRAM_VERBS,
      transitions: DATAGRAM_TRANSITIONS,
      onState: options.onState,
    });
    requireCount('socket', 'maxQueued', options.maxQueued);
    this.#queue = new BoundedQueue(options.maxQueued ?? DEFAULT_MAX_QUEUED);
  }

  get state(): DatagramState {
    return this.#lifecycle.state;
  }

  get local(): Address | undefined {
    const bound = this.#socket?.address();
    return bound === undefined ? undefined : addressFrom(bound.address, bound.port);
  }

  /** The peer of a connected socket. */
  get remote(): Address | undefined {
    return this.#remote;
  }

  /** Datagrams that have not been asked for yet. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Datagrams that came while `maxQueued` others waited. What the kernel dropped before is not among them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Gives the socket a name: bind(2), now. Resolves with the real endpoint, which matters for port 0. */
  async bind(endpoint: string | Endpoint, options: VerbOptions = {}): Promise<Endpoint> {
    this.#lifecycle.require('bind');
    const target = datagramEndpoint(endpoint);
    options.signal?.throwIfAborted();
    return this.#bind(target, options.signal);
  }

  /**
   * Names the only peer: connect(2). Datagrams of others are no longer received, those that wait unread among them, and
   * what the peer's host refuses is reported.
   */
  async connect(endpoint: string | Endpoint | Address, options: VerbOptions = {}): Promise<void> {
    this.#lifecycle.require('connect');
    const target = datagramEndpoint(endpoint);
    options.signal?.throwIfAborted();
    const address = await abortable(addressOfHost(target), options.signal, () => undefined);
    if (this.#lifecycle.state === 'unbound') await this.#bind(unboundFor(address), options.signal);
    this.#lifecycle.require('connect');
    const socket = this.#requireSocket('connect');
    this.#lifecycle.move('connect');
    try {
      const done = new Promise<void>((resolve, reject) => {
        const settled = (error?: Error): void =>
          error === undefined ? resolve() : reject(explainConnectFailure(target, error));
        try {
          socket.connect(target.port, address, settled);
        } catch (error) {
          settled(error instanceof Error ? error : new Error(String(error)));
        }
      });
      await abortable(done, this.#lifecycle.verbSignal(options.signal), () => undefined);
    } catch (error) {
      this.#lifecycle.move('not connected');
      throw this.#lifecycle.asClosedError('connect', error);
    }
    // As the kernel names it, which is how the sender of a datagram is named.
    const { address: host, port } = socket.remoteAddress();
    this.#remote = addressFrom(host, port);
    this.#queue.keep(({ from }) => this.#isFromPeer(from));
    this.#lifecycle.move('connected');
  }

  /**
   * Sends one datagram: sendmsg(2). A socket without a name is given one first. Resolves when the kernel has it, which
   * says nothing of its arrival.
   */
  async sendTo(data: string | Uint8Array, to: string | Endpoint | Address, options: VerbOptions = {}): Promise<void> {
    this.#lifecycle.require('sendTo');
    const target = datagramEndpoint(to);
    options.signal?.throwIfAborted();
    const address = await abortable(addressOfHost(target), options.signal, () => undefined);
    // Another's bind may fail, or be given up: that is not this datagram's failure.
    while (this.#lifecycle.state === 'binding') await this.#binding?.catch(() => undefined);
    if (this.#lifecycle.state === 'unbound') await this.#bind(unboundFor(address), undefined);
    // It may have been connected or closed while the address was looked up.
    this.#lifecycle.require('sendTo');
    const socket = this.#requireSocket('sendTo');
    await this.#sent((done) => socket.send(data, target.port, address, done), options.signal);
  }

  /** The next datagram and its sender. */
  async receiveFrom(options: VerbOptions = {}): Promise<Datagram> {
    this.#lifecycle.require('receiveFrom');
    this.#tellPendingError();
    return this.#queue.take(options.signal);
  }

  /** The next datagram of the connected peer. */
  async read(options: VerbOptions = {}): Promise<Uint8Array> {
    this.#lifecycle.require('read');
    this.#tellPendingError();
    return (await this.#queue.take(options.signal)).data;
  }

  /** Sends one datagram to the connected peer. */
  async write(data: string | Uint8Array, options: VerbOptions = {}): Promise<void> {
    this.#lifecycle.require('write');
    options.signal?.throwIfAborted();
    this.#tellPendingError();
    const socket = this.#requireSocket('write');
    await this.#sent((done) => socket.send(data, done), options.signal);
  }

  /**
   * Gives the socket back: close(2). What waits to be received is dropped, every verb that waits rejects. Safe to call
   * twice.
   */
  close(): Promise<void> {
    if (this.#lifecycle.isOver) return Promise.resolve();
    this.#lifecycle.move('close');
    this.#lifecycle.giveUp();
    this.#queue.end(closedMeanwhile('receiveFrom'));
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve();
    return new Promise((resolve) => void socket.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether the verb would not wait. */
  isReady(verb: 'read' | 'write'): boolean {
    if (this.#lifecycle.isOver || this.#pendingError !== undefined) return true;
    if (verb === 'read') return this.#queue.size > 0;
    return (this.#socket?.getSendQueueSize() ?? 0) < FULL_SEND_QUEUE_BYTES;
  }

  /** Calls `watcher` whenever readiness may have changed, until the returned function is called. */
  watch(watcher: () => void): () => void {
    return this.#lifecycle.watch(watcher);
  }

  #bind(target: PortEndpoint, signal: AbortSignal | undefined): Promise<Endpoint> {
    return (this.#binding = this.#bindNow(target, signal));
  }

  async #bindNow(target: PortEndpoint, signal: AbortSignal | undefined): Promise<Endpoint> {
    this.#lifecycle.move('bind');
    try {
      const bound = await abortable(
        bindListener(target),
        this.#lifecycle.verbSignal(signal),
        (late) => void late.close(),
      );
      if (bound.socket.type !== 'datagram' || this.#lifecycle.isOver) {
        await bound.close();
        throw closedMeanwhile('bind');
      }
      this.#receive(bound.socket.socket);
      this.#lifecycle.move('bound');
      return bound.endpoint;
    } catch (error) {
      this.#lifecycle.move('not bound');
      throw this.#lifecycle.asClosedError('bind', error);
    }
  }

  #receive(socket: dgram.Socket): void {
    this.#socket = socket;
    socket.on('message', (message, source) => {
      const from = addressFrom(source.address, source.port);
      if (!this.#isFromPeer(from)) return;
      if (!this.#queue.offer({ data: message, from })) this.#dropped += 1;
      this.#lifecycle.changed();
    });
    socket.on('error', (error) => {
      const failure = sendFailure(error);
      if (!this.#queue.failNext(failure)) this.#pendingError = failure;
      this.#lifecycle.changed();
    });
  }

  #isFromPeer(from: Address): boolean {
    const peer = this.#remote;
    return peer === undefined || formatAddress(from) === formatAddress(peer);
  }

  #sent(send: (done: (error: Error | null) => void) => void, signal: AbortSignal | undefined): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      try {
        send((error) => {
          this.#lifecycle.changed();
          if (error === null) resolve();
          else reject(sendFailure(error));
        });
      } catch (error) {
        reject(sendFailure(error));
      }
    });
    return abortable(sent, signal, () => undefined);
  }

  #tellPendingError(): void {
    const error = this.#pendingError;
    this.#pendingError = undefined;
    if (error !== undefined) throw error;
  }

  #requireSocket(verb: DatagramVerb): dgram.Socket {
    if (this.#socket === undefined || this.#lifecycle.isOver) throw closedMeanwhile(verb);
    return this.#socket;
  }
}

function sendFailure(thrown: unknown): WellknownError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error ? error.code : undefined;
  const reason =
    code === 'ECONNREFUSED'
      ? "no process receives at the peer's port"
      : code === 'EMSGSIZE'
        ? 'it is larger than a datagram can be'
        : code === 'EINVAL' || code === 'EAFNOSUPPORT'
          ? 'the socket and the peer are of different address families'
          : error.message;
  return new WellknownError('SEND_FAILED', `a datagram could not be sent: ${reason}`, {
    fault: code === 'ECONNREFUSED' ? 'remote' : 'local',
    cause: error,
  });
}
