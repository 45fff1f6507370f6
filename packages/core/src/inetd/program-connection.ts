// An accepted connection that a program gets. Until then it is a socket from which no byte is read; from then on it is
// a process.

import type net from 'node:net';
import type { Accepted, ListenerTraits } from '../accept/accept-handler.ts';
import { formatAddress, socketAddress, type Address } from '../address/address.ts';
import { shortText } from '../connection/short-text.ts';
import type { CloseReason } from '../connection/states.ts';
import type { Logger } from '../log.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { connectionEnvironment, runWithSocket, type ProgramToRun, type RunningProgram } from './child-program.ts';

// Long enough for a last word, short enough for a server that has to end.
const KILL_AFTER_TERM_MS = 2_000;

export class ProgramConnection implements Accepted {
  readonly id: number;
  readonly state = 'open';
  readonly local: Address;
  readonly remote: Address;
  readonly #socket: net.Socket;
  readonly #clock: Clock;
  readonly #closed: (connection: ProgramConnection) => void;
  #reason: CloseReason | undefined;
  readonly #sinceMs: number;
  #program = '';
  #running: RunningProgram | undefined;
  #kill: Timer | undefined;
  #hasClosed = false;

  /** Resolves when it is no more. */
  readonly closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;

  constructor(
    id: number,
    socket: net.Socket,
    { unixPath, local }: ListenerTraits,
    clock: Clock,
    closed: (connection: ProgramConnection) => void,
  ) {
    this.id = id;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    // Read at once: after a reset the kernel no longer says.
    this.local =
      unixPath === undefined
        ? (local ?? socketAddress(socket.localAddress, socket.localPort))
        : { family: 'unix', path: unixPath };
    this.remote =
      unixPath === undefined ? socketAddress(socket.remoteAddress, socket.remotePort) : { family: 'unix', path: '' };
    this.#socket = socket;
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.#closed = closed;
    socket.on('error', () => undefined);
  }

  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  get ageMs(): number {
    return this.#clock.nowMs() - this.#sinceMs;
  }

  /** The program that has it; undefined while it waits for one. */
  get doing(): string | undefined {
    return this.#running === undefined ? undefined : `${this.#program}, process ${this.#running.pid ?? 0}`;
  }

  /** Runs the program at `path`. Its end is the connection's, and so is its failure to start. */
  run(path: string, program: ProgramToRun, connectionsOfPeer: number, log: Logger): void {
    const peer = formatAddress(this.remote);
    const variables = connectionEnvironment(this.local, this.remote, connectionsOfPeer);
    const running = runWithSocket(path, program, this.#socket, variables, ({ how, error }) => {
      if (error === undefined) log.debug({ peer, pid: running.pid }, `the program has ended (${how})`);
      else log.error({ err: error, peer }, 'the program could not be started');
      this.#end(error === undefined ? 'finished' : 'handler-failed');
    });
    this.#running = running;
    this.#program = shortText(path.slice(path.lastIndexOf('/') + 1));
    // The child has its own copy; while ours is open the peer would never see its end.
    this.#socket.destroy();
    log.debug({ peer, pid: running.pid }, 'started');
  }

  startDrain(): void {
    // A program is not told: the only word for it is TERM, which is for the end of the drain.
  }

  /** Closes the socket; a program that runs is sent TERM, and KILL two seconds later. */
  destroy(reason: CloseReason): void {
    const running = this.#running;
    if (running === undefined) {
      this.#socket.destroy();
      this.#end(reason);
    } else if (!this.#hasClosed && this.#kill === undefined) {
      this.#reason = reason;
      running.kill('SIGTERM');
      this.#kill = this.#clock.after(KILL_AFTER_TERM_MS, () => running.kill('SIGKILL'));
    }
  }

  #end(reason: CloseReason): void {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.#reason ??= reason;
    this.#kill?.cancel();
    this.#closed(this);
    this.#resolveClosed();
  }
}
