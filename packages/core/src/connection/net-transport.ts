// A transport over a net.Socket: tcp and unix, and TLS on top of either.
//
// The listeners are functions of this file that find their transport through the socket: a connection costs one object
// here, and no closures.

import type net from 'node:net';
import tls from 'node:tls';
import { socketAddress, type Address } from '../address/address.ts';
import { WellknownError } from '../errors.ts';
import { wasReset } from '../kernel/peer-reset.ts';
import { forgetReads, readThroughSharedBuffer, takeChunk } from '../kernel/read-buffer.ts';
import { resetSocket, takenBytes } from '../kernel/stream-handle.ts';
import { HeldWrites, type Taken } from './held-writes.ts';
import { secureInfoOf } from './secure-info.ts';
import type { TlsHandshake, Transport, TransportEvents } from './transport.ts';

const TRANSPORT = Symbol('transport');
interface Carrier extends net.Socket {
  [TRANSPORT]?: NetTransport | undefined;
}

const UNNAMED: Address = { family: 'unix', path: '' };
const NO_BYTES = Buffer.alloc(0);
class NetTransport implements Transport {
  readonly kind: 'tcp' | 'unix';
  readonly local: Address;
  readonly remote: Address;
  socket: Carrier;
  events: TransportEvents | undefined;
  failure: Error | undefined;
  /** What a plain socket had sent before TLS took over. */
  sentBefore = 0;
  /**
   * What was written while the last words in clear were still leaving: it goes out encrypted. Undefined at all other
   * times.
   */
  held: HeldWrites | undefined;
  /** Most connections never have to wait for room: only then is the event worth a listener. */
  hearsDrain = false;
  /** A TLS handshake has ended well. */
  isSecured = false;
  /** It has just been started: Node reads in the next turn, whether it was paused meanwhile or not. */
  willRead = false;

  constructor(socket: net.Socket, kind: 'tcp' | 'unix', local: Address, remote: Address) {
    this.kind = kind;
    this.local = local;
    this.remote = remote;
    this.socket = socket;
    this.socket[TRANSPORT] = this;
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get unsentBytes(): number {
    return this.socket.writableLength + (this.held?.bytes ?? 0);
  }

  get sentBytes(): number {
    // A large write takes a slow peer minutes, and each part of it that leaves is a sign of life.
    const taken = takenBytes(this.socket) ?? this.socket.bytesWritten - this.socket.writableLength;
    return this.sentBefore + taken;
  }

  get undeliveredBytes(): number {
    return this.socket.readableLength;
  }

  start(events: TransportEvents): void {
    this.events = events;
    if (this.socket.destroyed) {
      // It broke while it waited; its 'close' has come and gone.
      queueMicrotask(() => events.closed(this.failure));
      return;
    }
    if (this.socket.readableEnded) {
      // Nothing came but the end, before `start`.
      queueMicrotask(() => events.ended());
      return;
    }
    this.socket.on('end', onEnd);
    this.willRead = true;
    if (!readThroughSharedBuffer(this.socket, onBytes)) this.socket.on('data', onData);
  }

  startTls(handshake: TlsHandshake): void {
    const plain = this.socket;
    // From here on the kernel keeps what comes.
    plain.pause();
    plain.off('data', onData);
    forgetReads(plain);
    if (plain.writableLength > 0) {
      // What was said in clear must have left before the first record.
      this.held = new HeldWrites();
      plain.write(NO_BYTES, () => {
        if (!plain.destroyed) this.startTls(handshake);
      });
      return;
    }
    if (handshake.head !== undefined && handshake.head.length > 0) plain.unshift(handshake.head);
    plain.off('end', onEnd);
    plain.off('drain', onDrain);
    plain.off('close', onClose);
    const { side, alpn } = handshake;
    const isClient = 'connect' in side;
    const secure = isClient ? side.connect(plain) : new tls.TLSSocket(plain, side.socketOptions(alpn));
    if (handshake.withoutTickets && !isClient) side.withholdTickets(secure);
    this.sentBefore = plain.bytesWritten;
    const carrier: Carrier = secure;
    carrier[TRANSPORT] = this;
    this.socket = carrier;
    secure.on('error', onError);
    // What TLS itself fails with is reported here alone.
    secure.on('_tlsError', onTlsError);
    secure.on('close', onClose);
    // A client is only done when it has checked the certificate.
    secure.once(isClient ? 'secureConnect' : 'secure', () => {
      const info = secureInfoOf(secure, isClient ? 'client' : 'server');
      if (!isClient && side.requiresClientCertificate && info.clientCertificate === undefined) {
        // Node leaves this check to its own servers.
        secure.destroy(
          new WellknownError('TLS_FAILED', 'the client has shown no certificate that is trusted', { fault: 'remote' }),
        );
        return;
      }
      this.isSecured = true;
      handshake.secured(info);
    });
    // A client could make us compute for ever; TLS 1.3 has done away with it. What tries is a TLS error from here on.
    secure.disableRenegotiation();
    if (this.events !== undefined) {
      secure.on('data', onData);
      secure.on('end', onEnd);
      if (this.hearsDrain) secure.on('drain', onDrain);
    }
    this.release();
  }

  release(): void {
    const { held } = this;
    this.held = undefined;
    if (held === undefined) return;
    for (const { data, encoding, taken } of held.writes) {
      if (taken === undefined || typeof data === 'string') this.write(data, encoding);
      else this.writeThen(data, taken);
    }
    if (held.ends) this.shutdownWrite();
    else if (held.isFull && !this.socket.writableNeedDrain) this.events?.drained();
  }

  write(data: string | Uint8Array, encoding: 'latin1' | 'utf8'): boolean {
    if (this.held !== undefined) return this.held.hold({ data, encoding });
    const room = typeof data === 'string' ? this.socket.write(data, encoding) : this.socket.write(data);
    if (!room && !this.hearsDrain) {
      this.hearsDrain = true;
      this.socket.on('drain', onDrain);
    }
    return room;
  }

  writeThen(data: Uint8Array, taken: Taken): boolean {
    if (this.held !== undefined) return this.held.hold({ data, encoding: 'latin1', taken });
    const { socket } = this;
    // Node calls back without an error for what was under way when the socket was destroyed.
    const room = socket.write(data, (error) =>
      taken(error ?? (socket.destroyed ? (this.failure ?? notSent()) : undefined)),
    );
    if (!room && !this.hearsDrain) {
      this.hearsDrain = true;
      socket.on('drain', onDrain);
    }
    return room;
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  pause(): void {
    const { socket } = this;
    socket.pause();
    if (!this.willRead) return;
    this.willRead = false;
    // Behind the read of the resume that it was started by.
    process.nextTick(() => {
      if (socket.isPaused()) socket.pause();
    });
  }

  resume(): void {
    this.socket.resume();
  }

  probe(): void {
    // A write of nothing sends nothing, and fails where the peer is gone. Behind bytes that wait to be sent the socket
    // is watched anyway.
    if (this.held === undefined && this.socket.writable && this.socket.writableLength === 0)
      this.socket.write(NO_BYTES);
  }

  shutdownWrite(): void {
    if (this.held !== undefined) {
      this.held.ends = true;
      return;
    }
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    resetSocket(this.socket);
  }
}

const notSent = (): Error => new Error('the connection closed before the bytes were sent');

function onBytes(this: Carrier, byteLength: number, buffer: Buffer): void {
  // Taken even where it is not wanted.
  const chunk = takeChunk(this, byteLength, buffer);
  this[TRANSPORT]?.events?.data(chunk);
}

function onData(this: Carrier, chunk: Buffer): void {
  this[TRANSPORT]?.events?.data(chunk);
}

function onEnd(this: Carrier): void {
  const transport = this[TRANSPORT];
  // TLS has an end of its own, behind which many a client resets.
  if (transport?.kind === 'tcp' && !('encrypted' in this) && wasReset(this)) {
    transport.failure ??= new Error('the peer reset the connection');
    this.destroy();
    return;
  }
  transport?.events?.ended();
}

function onDrain(this: Carrier): void {
  this[TRANSPORT]?.events?.drained();
}

function onError(this: Carrier, error: Error): void {
  const transport = this[TRANSPORT];
  if (transport !== undefined) transport.failure ??= error;
}

/** Node ends the socket for a failed handshake only: after it, what has gone wrong would pass unnoticed. */
function onTlsError(this: Carrier, error: Error): void {
  const transport = this[TRANSPORT];
  if (transport === undefined) return;
  if (!transport.isSecured) {
    transport.failure ??= error;
    return;
  }
  transport.failure ??= new WellknownError('TLS_FAILED', `the peer broke TLS: ${error.message}`, {
    fault: 'remote',
    cause: error,
  });
  this.destroy();
}

function onClose(this: Carrier): void {
  const transport = this[TRANSPORT];
  forgetReads(this);
  // A closed socket lives on for a while inside Node; what hung on it need not.
  this[TRANSPORT] = undefined;
  if (transport === undefined) return;
  const { held } = transport;
  transport.held = undefined;
  if (held !== undefined) for (const { taken } of held.writes) taken?.(transport.failure ?? notSent());
  transport.events?.closed(transport.failure);
}

/**
 * Wraps a connected socket. `unixPath` names the listener's end of a unix connection that was accepted, `local` the
 * address of a TCP one where it is known without asking. An error before `start` is kept for it: without a listener it
 * would end the process.
 */
export const createNetTransport = (socket: net.Socket, unixPath?: string, local?: Address): Transport =>
  unixPath === undefined
    ? // The kernel is asked at once: after a reset it no longer says.
      new NetTransport(
        socket,
        'tcp',
        local ?? socketAddress(socket.localAddress, socket.localPort),
        socketAddress(socket.remoteAddress, socket.remotePort),
      )
    : new NetTransport(socket, 'unix', { family: 'unix', path: unixPath }, UNNAMED);

/** The same for the client's end of a unix connection, which has no name of its own: `path` is the listener's. */
export const createUnixClientTransport = (socket: net.Socket, path: string): Transport =>
  new NetTransport(socket, 'unix', UNNAMED, { family: 'unix', path });
