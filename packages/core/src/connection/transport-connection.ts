// The one implementation of Connection: its verbs, over connection-core.ts. Comfortable reads are in reader.ts.

import { WellknownError } from '../errors.ts';
import { giveBackChunk } from '../kernel/read-buffer.ts';
import type { Connection } from './connection.ts';
import { ConnectionCore } from './connection-core.ts';
import type { ConnectionSettings } from './connection-facts.ts';
import { Preamble } from './preamble.ts';
import { ConnectionReader } from './reader.ts';
import type { Transport } from './transport.ts';
import type { SecureInfo } from './secure-info.ts';
import type { TlsClient, TlsContext } from './tls-context.ts';
import { WritePromise } from './write-promise.ts';

/** What a connection reports to its owner, the registry of its server. */
export interface ConnectionOwner extends ConnectionSettings {
  connectionClosed(connection: TransportConnection): void;
  /** A write has failed whose promise nothing awaits: the handler goes on for a peer that has none of it. */
  readonly writeDropped?: ((connection: TransportConnection, error: unknown) => void) | undefined;
}

const WRITTEN = Promise.resolve();
const NOTHING_KEPT = (): void => undefined;

export class TransportConnection extends ConnectionCore implements Connection {
  readonly #owner: ConnectionOwner;
  #reader: ConnectionReader | undefined;
  #ownTls: TlsContext | undefined;

  constructor(id: number, transport: Transport, owner: ConnectionOwner) {
    super(id, transport, owner);
    this.#owner = owner;
  }

  protected override reportClosed(): void {
    this.#owner.connectionClosed(this);
  }

  // The way to open ---------------------------------------------------------------------------------------------------

  /**
   * Reads a PROXY header before anything else, and calls `next` once it is there: then `remote` and `local` are the
   * client's, and the connection waits for `secureFirst`, `attach` or an end. For the admission, on a connection of a
   * trusted proxy.
   */
  readProxyHeader(next: () => void): void {
    this.#prepare().readProxyHeader(next);
    this.transport.start(this.link);
  }

  secureFirst(
    side: TlsContext | TlsClient,
    next: () => void,
    { withoutTickets = false }: { readonly withoutTickets?: boolean } = {},
  ): void {
    const isStarted = this.state !== 'accepted';
    this.#prepare().handshake(side, next, withoutTickets);
    if (!isStarted) this.transport.start(this.link);
    // Held back since the PROXY header.
    else this.transport.resume();
  }

  get tlsContext(): TlsContext | undefined {
    const { tls, ownTlsSessions } = this.owner;
    return ownTlsSessions === true ? (this.#ownTls ??= tls?.withOwnSessions()) : tls;
  }

  startTls(
    options: { readonly context?: TlsContext | TlsClient; readonly unreadBytes?: number } = {},
  ): Promise<SecureInfo> {
    const side = options.context ?? this.tlsContext;
    if (side === undefined)
      return Promise.reject(
        new WellknownError('WRONG_STATE', 'startTls without a certificate', {
          fault: 'local',
          hint: "give the server its 'tls' option",
        }),
      );
    if (this.state !== 'open' || this.secure !== undefined || this.transport.startTls === undefined) {
      return Promise.reject(
        new WellknownError(
          'WRONG_STATE',
          `startTls on a connection that is ${this.secure === undefined ? this.state : 'secure'}`,
          { fault: 'local' },
        ),
      );
    }
    const earlyBytes = (options.unreadBytes ?? 0) + (this.#reader?.unreadBytes ?? 0) + this.transport.undeliveredBytes;
    if (earlyBytes === 0) return this.#prepare().upgrade(side);
    const error = new WellknownError('EARLY_PLAINTEXT', `${earlyBytes} bytes came in clear before the handshake`, {
      fault: 'remote',
    });
    this.destroy('early-plaintext', error);
    return Promise.reject(error);
  }

  #prepare(): Preamble {
    return (this.preamble ??= new Preamble(this.link));
  }

  // The fast way ------------------------------------------------------------------------------------------------------

  send(data: string | Uint8Array, encoding: 'latin1' | 'utf8' = 'latin1'): boolean {
    if (!this.mayWrite()) return false;
    this.deadlines.active();
    const room = this.transport.write(data, encoding);
    if (!room) this.wroteWithoutRoom();
    return room;
  }

  sendThen(data: Uint8Array, taken: (error: Error | undefined) => void): boolean {
    if (!this.mayWrite()) {
      queueMicrotask(() => taken(this.notWritable('send on')));
      return false;
    }
    this.deadlines.active();
    const room = this.transport.writeThen(data, taken);
    if (!room) this.wroteWithoutRoom();
    return room;
  }

  keep(content: string | Uint8Array): () => void {
    if (this.state === 'closed') return NOTHING_KEPT;
    return this.owner.unsent?.keep(this.link, content) ?? NOTHING_KEPT;
  }

  cork(): void {
    this.transport.cork();
  }

  uncork(): void {
    this.transport.uncork();
  }

  pause(): void {
    this.transport.pause();
    this.deadlines.notePause();
  }

  resume(): void {
    this.deadlines.endPause();
    this.transport.resume();
  }

  reuse(chunk: Uint8Array): void {
    giveBackChunk(chunk);
  }

  get idleTimeoutMs(): number {
    return this.deadlines.idleTimeoutMs;
  }

  setIdleTimeout(timeoutMs: number): void {
    this.deadlines.setIdle(timeoutMs);
  }

  setDeadline(timeoutMs: number): void {
    this.deadlines.setProtocol(timeoutMs);
  }

  expectInput(isExpected: boolean): void {
    this.deadlines.expectInput(isExpected);
  }

  shutdown(direction: 'read' | 'write' | 'both'): void {
    if (direction === 'read') {
      this.discardsInput = true;
      this.transport.resume();
      return;
    }
    if (direction === 'both') {
      this.end();
      return;
    }
    if (!this.mayWrite()) return;
    this.move('we-ended');
    this.transport.shutdownWrite();
  }

  // The comfortable way ---------------------------------------------------------------------------------------------

  #comfort(): ConnectionReader {
    if (this.#reader === undefined) {
      this.#reader = new ConnectionReader(this);
      this.attach(this.#reader);
    }
    return this.#reader;
  }

  read(options?: { readonly byteLength?: number; readonly signal?: AbortSignal }): Promise<Uint8Array | undefined> {
    return this.#comfort().read(options?.byteLength, options?.signal);
  }

  readLine(options?: { readonly maxLineBytes?: number; readonly signal?: AbortSignal }): Promise<string | undefined> {
    return this.#comfort().readLine(options?.maxLineBytes, options?.signal);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  write(data: string | Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void> {
    try {
      const reader = this.#comfort();
      const isWritable = this.mayWrite();
      if (isWritable && this.send(data, 'utf8')) return WRITTEN;
      const dropped = (error: unknown): void => this.#owner.writeDropped?.(this, error);
      return isWritable
        ? reader.room(options?.signal, dropped)
        : WritePromise.create((_, reject) => reject(this.notWritable('write to')), dropped);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
