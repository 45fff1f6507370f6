// A stream socket in the hands of a program: every verb of its lifecycle is a method, and every state can be seen.
//
// What may be called when stands in socket-state.ts; what each verb does in the kernel stands in docs/lifecycle.md.

import type tls from 'node:tls';
import { abortable, onAbort } from '../abort.ts';
import { invalidArgument, requireCount } from '../arguments.ts';
import type { Address } from '../address/address.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from '../connection/limits.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { bindListener, type BoundListener } from '../listener/listener.ts';
import { explainBindFailure } from '../listener/bind-failure.ts';
import { systemClock } from '../time/system-clock.ts';
import type { SecureInfo } from '../connection/secure-info.ts';
import type { TlsContext } from '../connection/tls-context.ts';
import { TimerWheel } from '../time/timer-wheel.ts';
import type { Transport } from '../connection/transport.ts';
import { StreamConnection } from './stream-connection.ts';
import { tlsClientFor, dial } from './dial.ts';
import { AcceptQueue } from './accept-queue.ts';
import { addressOf, bindableEndpoint, streamEndpoint } from './socket-address.ts';
import { SocketLifecycle } from './socket-lifecycle.ts';
import {
  closedMeanwhile,
  STREAM_TRANSITIONS,
  STREAM_VERBS,
  type StreamEvent,
  type StreamState,
  type StreamVerb,
} from './socket-state.ts';

/** Every verb that waits takes one: when it aborts, the verb rejects with its reason. */
export interface VerbOptions {
  readonly signal?: AbortSignal;
}

export interface StreamSocketOptions {
  /** Deadlines and bounds once it is connected. As in the kernel there is no idle limit unless one is given. */
  readonly limits?: Partial<ConnectionLimits>;
  /** Called after every change of state. */
  readonly onState?: (state: StreamState, before: StreamState) => void;
}

// Node's own 511 overflows in a burst; Linux caps it at net.core.somaxconn (4096).
const DEFAULT_BACKLOG = 1024;

const DIRECTIONS: readonly string[] = ['read', 'write', 'both'];

let wheel: TimerWheel | undefined;
let lastId = 0;

/** Made by `socket('stream')` and by `accept`. */
export class StreamSocket implements AsyncDisposable {
  readonly type = 'stream';
  readonly #options: StreamSocketOptions;
  readonly #lifecycle: SocketLifecycle<StreamState, StreamVerb, StreamEvent>;
  #bound: BoundListener | undefined;
  #listening: AcceptQueue | undefined;
  #connected: StreamConnection | undefined;
  #secure: SecureInfo | undefined;
  /** The name that was connected to, which a certificate must name. */
  #connectedTo = '';

  /** `accepted` is a transport that is connected already. */
  constructor(options: StreamSocketOptions = {}, accepted?: Transport) {
    this.#options = options;
    this.#lifecycle = new SocketLifecycle({
      socket: this,
      type: 'stream',
      verbs: STREAM_VERBS,
      transitions: STREAM_TRANSITIONS,
      onState: options.onState,
    });
    if (accepted !== undefined) this.#connect(accepted);
  }

  get state(): StreamState {
    return this.#lifecycle.state;
  }

  /** Our end, once it has one: what getsockname(2) says. */
  get local(): Address | undefined {
    return (
      this.#connected?.connection.local ?? (this.#bound === undefined ? undefined : addressOf(this.#bound.endpoint))
    );
  }

  /**
   * The peer's end of a connected socket: what getpeername(2) says. Local and remote together are unique in the whole
   * network.
   */
  get remote(): Address | undefined {
    return this.#connected?.connection.remote;
  }

  /** What the TLS handshake of `connect` or `startTls` agreed on. */
  get secure(): SecureInfo | undefined {
    return this.#secure;
  }

  /** Accepted connections that have not been asked for yet. */
  get queued(): number {
    return this.#listening?.queued ?? 0;
  }

  /** Connections that were reset because `maxQueued` others waited. */
  get refused(): number {
    return this.#listening?.refused ?? 0;
  }

  /** Gives the socket a name: bind(2), now. Resolves with the real endpoint, which matters for port 0. */
  async bind(endpoint: string | Endpoint, options: VerbOptions = {}): Promise<Endpoint> {
    this.#lifecycle.require('bind');
    const target = bindableEndpoint(endpoint);
    options.signal?.throwIfAborted();
    this.#lifecycle.move('bind');
    try {
      const bound = await abortable(
        bindListener(target),
        this.#lifecycle.verbSignal(options.signal),
        (late) => void late.close(),
      );
      await this.#refuseLate('bind', () => bound.close());
      this.#bound = bound;
      this.#lifecycle.move('bound');
      return bound.endpoint;
    } catch (error) {
      this.#lifecycle.move('not bound');
      throw this.#lifecycle.asClosedError('bind', error);
    }
  }

  /**
   * Lets peers connect: listen(2). The kernel queues up to `backlog` connections; Node accepts them at once, and up to
   * `maxQueued` of those wait for `accept`. The next one is reset.
   */
  async listen(options: VerbOptions & { readonly backlog?: number; readonly maxQueued?: number } = {}): Promise<void> {
    this.#lifecycle.require('listen');
    options.signal?.throwIfAborted();
    const bound = this.#bound;
    if (bound?.socket.type !== 'stream') throw this.#lifecycle.wrong('listen', 'not bound');
    const { backlog = DEFAULT_BACKLOG, maxQueued = Math.max(backlog, 1) } = options;
    requireCount('listen', 'backlog', backlog);
    requireCount('listen', 'maxQueued', maxQueued);
    this.#lifecycle.move('listen');
    try {
      this.#listening = await AcceptQueue.start(bound, bound.socket.handle, {
        backlog,
        maxQueued,
        keepAliveMs: this.#options.limits?.keepAliveMs ?? DEFAULT_CONNECTION_LIMITS.keepAliveMs,
        arrived: () => this.#lifecycle.changed(),
      });
    } catch (error) {
      await this.close();
      throw explainBindFailure(bound.endpoint, error);
    }
    // Closed while the kernel was asked.
    if (this.#lifecycle.isOver) this.#listening.close();
  }

  /** The connection that has waited longest, as a socket of its own. */
  async accept(options: VerbOptions = {}): Promise<StreamSocket> {
    this.#lifecycle.require('accept');
    if (this.#listening === undefined) throw this.#lifecycle.wrong('accept', 'about to listen');
    return new StreamSocket(this.#options, await this.#listening.accept(options.signal));
  }

  /**
   * Connects to a listener: connect(2). With `tls://…` or the option `tls` it speaks TLS before anything else. When it
   * fails, the socket is closed.
   */
  async connect(
    endpoint: string | Endpoint,
    options: VerbOptions & { readonly tls?: tls.ConnectionOptions } = {},
  ): Promise<void> {
    this.#lifecycle.require('connect');
    const target = streamEndpoint(endpoint);
    options.signal?.throwIfAborted();
    const from = this.#bound?.socket.type === 'stream' ? { from: this.#bound.socket.handle } : {};
    this.#lifecycle.move('connect');
    try {
      const { transport, secure } = await dial(target, {
        ...from,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        signal: this.#lifecycle.verbSignal(options.signal),
      });
      await this.#refuseLate('connect', () => transport.destroy());
      this.#secure = secure;
      this.#connectedTo = target.scheme === 'unix' ? '' : target.host;
      this.#connect(transport);
    } catch (error) {
      await this.close();
      throw this.#lifecycle.asClosedError('connect', error);
    }
  }

  /**
   * The next bytes, or undefined when the peer has ended or reading was shut down. `byteLength` asks for exactly so
   * many (fewer only at the end).
   */
  async read(options: VerbOptions & { readonly byteLength?: number } = {}): Promise<Uint8Array | undefined> {
    const connected = this.#requireReadable('read');
    return connected.read(options.byteLength, options.signal);
  }

  /**
   * The next line without its CR LF or LF, as UTF-8; undefined at the end. Longer than `maxLineBytes` rejects with
   * LINE_TOO_LONG.
   */
  async readLine(options: VerbOptions & { readonly maxLineBytes?: number } = {}): Promise<string | undefined> {
    const connected = this.#requireReadable('readLine');
    return connected.readLine(options.maxLineBytes, options.signal);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  /**
   * Sends (strings as UTF-8) and resolves when there is room for more. An abort ends the wait; what was handed over is
   * sent nevertheless. A failure of a write that is not awaited is told by the next verb.
   */
  write(data: string | Uint8Array, options: VerbOptions = {}): Promise<void> {
    const written = this.#write(data, options);
    // Any peer can make a write fail: a forgotten await must not end the process.
    written.catch(() => undefined);
    return written;
  }

  async #write(data: string | Uint8Array, options: VerbOptions): Promise<void> {
    const connected = this.#requireConnected('write');
    if (connected.isOverfull)
      throw this.#lifecycle.wrongNow(
        'write',
        `and still has ${connected.connection.unsentBytes} unsent bytes`,
        'wait for the writes before',
      );
    await connected.write(data, options.signal);
  }

  /**
   * Speaks TLS from here on: as the server with a `context`, as the client with `connect` (what Node's `tls.connect`
   * takes). Bytes that came before the handshake and were not read break the connection: EARLY_PLAINTEXT. So does a
   * handshake that fails (TLS_FAILED), or is aborted.
   */
  async startTls(
    options: VerbOptions & ({ readonly context: TlsContext } | { readonly connect: tls.ConnectionOptions }),
  ): Promise<SecureInfo> {
    const connected = this.#requireConnected('startTls');
    if (this.#secure !== undefined)
      throw this.#lifecycle.wrongNow('startTls', 'and speaks TLS already', 'it is started once');
    options.signal?.throwIfAborted();
    const context = 'context' in options ? options.context : tlsClientFor(this.#connectedTo, options.connect);
    this.#lifecycle.move('secure');
    try {
      this.#secure = await abortable(
        connected.startTls(context),
        this.#lifecycle.verbSignal(options.signal),
        () => undefined,
      );
    } catch (error) {
      connected.destroy();
      this.#lifecycle.move('broken');
      throw this.#lifecycle.asClosedError('startTls', error);
    }
    this.#lifecycle.move('secured');
    return this.#secure;
  }

  /**
   * Ends one direction, or both. `write`: what is queued, then FIN. `read`: what still comes is discarded, and reads
   * give undefined.
   */
  shutdown(direction: 'read' | 'write' | 'both'): Promise<void> {
    return new Promise((resolve) => {
      const connected = this.#requireConnected('shutdown');
      if (!DIRECTIONS.includes(direction))
        throw invalidArgument('shutdown', 'direction', direction, DIRECTIONS.join(', '));
      if (direction !== 'write') {
        this.#lifecycle.move('read over');
        connected.shutdownRead();
      }
      if (direction !== 'read') {
        this.#lifecycle.move('write over');
        connected.shutdownWrite();
      }
      resolve();
    });
  }

  /**
   * Gives the socket back. What was written is sent first; `abort` drops it at once, and `signal` when it
   * aborts: then the peer sees a reset, but of a unix socket, which has none. Every
   * verb that waits on the socket rejects. Safe to call in every state, and twice; it never rejects.
   */
  async close(options: VerbOptions & { readonly abort?: boolean } = {}): Promise<void> {
    this.#lifecycle.move('close');
    this.#lifecycle.giveUp();
    this.#listening?.close();
    const bound = this.#bound;
    this.#bound = undefined;
    // A connection owns the descriptor that it was connected from.
    if (bound !== undefined && this.#connected === undefined) await bound.close();
    const connected = this.#connected;
    if (connected === undefined) return;
    if (options.abort === true) connected.reset();
    const forget = onAbort(options.signal, () => connected.reset());
    await connected.close();
    forget();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether the verb would not wait. What is over never waits: its verbs say so at once. */
  isReady(verb: 'read' | 'write' | 'accept'): boolean {
    if (verb === 'accept') return this.#lifecycle.isOver || this.queued > 0;
    // Of a listening socket, being readable is that a connection waits.
    if (this.#connected === undefined) return this.#lifecycle.isOver || (verb === 'read' && this.queued > 0);
    return this.#lifecycle.isOver || (verb === 'read' ? this.#connected.isReadable : this.#connected.isWritable);
  }

  /** Calls `watcher` whenever readiness may have changed, until the returned function is called. */
  watch(watcher: () => void): () => void {
    return this.#lifecycle.watch(watcher);
  }

  #connect(transport: Transport): void {
    wheel ??= new TimerWheel(systemClock);
    const limits = { ...DEFAULT_CONNECTION_LIMITS, idleTimeoutMs: 0, ...this.#options.limits };
    this.#connected = new StreamConnection(transport, {
      id: (lastId += 1),
      wheel,
      limits,
      moved: (event) => this.#lifecycle.move(event),
      changed: () => this.#lifecycle.changed(),
    });
    this.#lifecycle.move('connected');
  }

  /** The socket may have been closed just when the kernel was done. */
  async #refuseLate(verb: string, takeBack: () => void | Promise<void>): Promise<void> {
    if (!this.#lifecycle.isOver) return;
    await takeBack();
    throw closedMeanwhile(verb);
  }

  #requireConnected(verb: 'read' | 'write' | 'startTls' | 'shutdown', called: string = verb): StreamConnection {
    this.#lifecycle.require(verb, called);
    if (this.#connected === undefined) throw this.#lifecycle.wrong(verb, 'not connected');
    return this.#connected;
  }

  #requireReadable(called: 'read' | 'readLine'): StreamConnection {
    const connected = this.#requireConnected('read', called);
    if (connected.isBeingRead) throw this.#lifecycle.wrongNow(called, 'and being read', 'one read at a time may wait');
    return connected;
  }
}
