// Every deadline of one connection, behind one entry of the wheel.
//
// Activity only stores a number. The entry is set for the earliest deadline at the time, and finds out when it fires:
// what has passed is told to the connection, for the rest it is set again. Numbers are milliseconds of the wheel's
// time; 0 is none. This decides when; what is done then, and whether a deadline makes sense in a state, is the
// connection's.

import type { ConnectionLimits } from './limits.ts';
import type { TimerWheel, WheelEntry } from '../time/timer-wheel.ts';

/**
 * What has passed. `opening`: the PROXY header or the TLS handshake took too long. `protocol`: the deadline that the
 * protocol set; the connection goes on if the protocol does. `pause`: nothing has been read for a while, so that the
 * peer may be gone unnoticed. All others end it.
 */
export type PassedDeadline =
  | 'opening'
  | 'write-timeout'
  | 'write-rate'
  | 'linger-timeout'
  | 'protocol'
  | 'pause'
  | 'lifetime'
  | 'read-rate'
  | 'idle-timeout';

/** The connection, as its deadlines see it. */
export interface DeadlineOwner {
  readonly receivedBytes: number;
  /** Bytes that the kernel has taken, ever, and those that it has not taken yet. */
  readonly sentBytes: number;
  readonly unsentBytes: number;
  passed(what: PassedDeadline): void;
}

// What a rate is averaged over: shorter would cut off who only pauses for a moment.
const RATE_WINDOW_MS = 10_000;

// What is not read does not tell of a reset. Asking is a system call and some microseconds: with ten thousand paused
// connections one in twenty of a core's.
const PAUSE_CHECK_MS = 2_000;

export class ConnectionDeadlines implements WheelEntry {
  dueTick = -1;
  previous: WheelEntry | undefined = undefined;
  next: WheelEntry | undefined = undefined;
  readonly #owner: DeadlineOwner;
  readonly #wheel: TimerWheel;
  readonly #limits: ConnectionLimits;
  /** When the entry fires, at the latest. */
  #checkAtMs = 0;
  #idleTimeoutMs: number;
  #lastActivityMs: number;
  #openingEndsMs = 0;
  #protocolMs = 0;
  #lifetimeEndsMs = 0;
  /** When the transport last took bytes while some were waiting. */
  #stalledSinceMs = 0;
  #stalledAtBytes = 0;
  /** When the present window of the read rate began; 0 while no input is expected. */
  #inputSinceMs = 0;
  #inputAtBytes = 0;
  /** When the peer of a paused connection is asked for next; 0 while it is read. */
  #pauseCheckMs = 0;
  #lingerEndsMs = 0;
  #lingerOwesBytes = false;
  #isOver = false;

  constructor(owner: DeadlineOwner, wheel: TimerWheel, limits: ConnectionLimits) {
    this.#owner = owner;
    this.#wheel = wheel;
    this.#limits = limits;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#lastActivityMs = wheel.nowMs;
  }

  /** Something was received or sent. */
  active(): void {
    this.#lastActivityMs = this.#wheel.nowMs;
  }

  /** The idle limit in force; 0 for none. */
  get idleTimeoutMs(): number {
    return this.#idleTimeoutMs;
  }

  /** Sets the idle limit; the silence is counted from now. */
  setIdle(timeoutMs: number): void {
    this.#idleTimeoutMs = timeoutMs;
    this.active();
    this.#arm(timeoutMs);
  }

  /** The peer has so long for the step on the way to open that begins now. */
  startOpening(timeoutMs: number): void {
    this.#openingEndsMs = this.#in(timeoutMs);
  }

  /** That step is done: nothing more is waited for from the peer. */
  endOpening(): void {
    this.#openingEndsMs = 0;
  }

  /** The protocol has the connection now, for the first time or after an upgrade. */
  startOpen(isFirst: boolean): void {
    this.#openingEndsMs = 0;
    this.active();
    this.#arm(this.#idleTimeoutMs);
    if (isFirst && this.#limits.lifetimeMs > 0) this.#lifetimeEndsMs = this.#in(this.#limits.lifetimeMs);
    // What fell due during an upgrade waits to be looked at.
    if (!isFirst) this.#arm(1);
  }

  /** The deadline of the protocol; 0 clears it. */
  setProtocol(timeoutMs: number): void {
    this.#protocolMs = timeoutMs <= 0 ? 0 : this.#in(timeoutMs);
  }

  /** While input is expected the lowest read rate holds. */
  expectInput(isExpected: boolean): void {
    if (!isExpected || this.#limits.minReadBytesPerSecond === 0) {
      this.#inputSinceMs = 0;
      return;
    }
    if (this.#inputSinceMs !== 0) return;
    this.#inputSinceMs = Math.max(1, this.#wheel.nowMs);
    this.#inputAtBytes = this.#owner.receivedBytes;
    this.#arm(RATE_WINDOW_MS);
  }

  /** The peer is slower than the writer: from `noteStall` to `endStall`. */
  get isStalled(): boolean {
    return this.#stalledSinceMs !== 0;
  }

  /** Nothing is read from now on. */
  notePause(): void {
    if (this.#pauseCheckMs === 0) this.#pauseCheckMs = this.#in(PAUSE_CHECK_MS);
  }

  endPause(): void {
    this.#pauseCheckMs = 0;
  }

  /** The transport has not taken everything: from the first such call on the peer must take some. */
  noteStall(): void {
    if (this.isStalled) return;
    this.#stalledSinceMs = Math.max(1, this.#wheel.nowMs);
    this.#stalledAtBytes = this.#owner.sentBytes;
    this.#arm(this.#limits.writeTimeoutMs);
  }

  endStall(): void {
    this.#stalledSinceMs = 0;
  }

  /**
   * Our last word is said. The peer's time to close begins when all of it is sent; until then the write limit holds
   * (see `noteStall`).
   */
  startLinger(): void {
    this.#lingerOwesBytes = this.#owner.unsentBytes > 0;
    this.#lingerEndsMs = this.#in(this.#limits.lingerTimeoutMs);
  }

  /** There will be no more deadlines. */
  cancel(): void {
    this.#isOver = true;
    this.#wheel.cancel(this);
  }

  /** For the wheel. */
  fire(nowMs: number): void {
    this.#checkAtMs = 0;
    if (this.#openingEndsMs !== 0) this.#checkOpening(nowMs);
    else if (!this.#checkStall(nowMs)) {
      if (this.#lingerEndsMs !== 0) this.#checkLinger(nowMs);
      else this.#checkOpen(nowMs);
    }
  }

  #in(delayMs: number): number {
    this.#arm(delayMs);
    return this.#wheel.nowMs + delayMs;
  }

  /** Makes sure that `fire` runs within `delayMs`. An earlier time stays: it will find out and come again. */
  #arm(delayMs: number): void {
    if (delayMs <= 0 || this.#isOver) return;
    const atMs = this.#wheel.nowMs + delayMs;
    if (this.#checkAtMs !== 0 && this.#checkAtMs <= atMs) return;
    this.#checkAtMs = atMs;
    this.#wheel.schedule(this, delayMs);
  }

  #checkOpening(nowMs: number): void {
    if (nowMs >= this.#openingEndsMs) this.#owner.passed('opening');
    else this.#arm(this.#openingEndsMs - nowMs);
  }

  #checkOpen(nowMs: number): void {
    if (this.#protocolMs !== 0) {
      if (nowMs < this.#protocolMs) this.#arm(this.#protocolMs - nowMs);
      else {
        this.#protocolMs = 0;
        this.#owner.passed('protocol');
        // It may have been the end.
        if (this.#isOver || this.#lingerEndsMs !== 0) return;
      }
    }
    if (this.#pauseCheckMs !== 0) {
      if (nowMs >= this.#pauseCheckMs) {
        this.#owner.passed('pause');
        this.#pauseCheckMs = nowMs + PAUSE_CHECK_MS;
      }
      this.#arm(this.#pauseCheckMs - nowMs);
    }
    if (this.#lifetimeEndsMs !== 0) {
      if (nowMs >= this.#lifetimeEndsMs) {
        this.#owner.passed('lifetime');
        return;
      }
      this.#arm(this.#lifetimeEndsMs - nowMs);
    }
    if (this.#inputSinceMs !== 0 && this.#checkInput(nowMs)) return;
    if (this.#idleTimeoutMs === 0) return;
    const idleMs = nowMs - this.#lastActivityMs;
    if (idleMs >= this.#idleTimeoutMs) this.#owner.passed('idle-timeout');
    else this.#arm(this.#idleTimeoutMs - idleMs);
  }

  /** True when the peer takes nothing, or too little. */
  #checkStall(nowMs: number): boolean {
    const { writeTimeoutMs, minWriteBytesPerSecond } = this.#limits;
    if (this.#stalledSinceMs === 0 || writeTimeoutMs === 0) return false;
    const moved = this.#owner.sentBytes - this.#stalledAtBytes;
    // Bytes that leave are activity.
    if (moved > 0) this.#lastActivityMs = nowMs;
    const elapsedMs = nowMs - this.#stalledSinceMs;
    if (elapsedMs < writeTimeoutMs) {
      this.#arm(writeTimeoutMs - elapsedMs);
      return false;
    }
    if (moved === 0 || moved * 1000 < minWriteBytesPerSecond * elapsedMs) {
      this.#owner.passed(moved === 0 ? 'write-timeout' : 'write-rate');
      return true;
    }
    this.#stalledSinceMs = Math.max(1, nowMs);
    this.#stalledAtBytes += moved;
    this.#arm(writeTimeoutMs);
    return false;
  }

  /** True when the peer sends too slowly. */
  #checkInput(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#inputSinceMs;
    if (elapsedMs < RATE_WINDOW_MS) {
      this.#arm(RATE_WINDOW_MS - elapsedMs);
      return false;
    }
    const { receivedBytes } = this.#owner;
    if ((receivedBytes - this.#inputAtBytes) * 1000 < this.#limits.minReadBytesPerSecond * elapsedMs) {
      this.#owner.passed('read-rate');
      return true;
    }
    this.#inputSinceMs = Math.max(1, nowMs);
    this.#inputAtBytes = receivedBytes;
    this.#arm(RATE_WINDOW_MS);
    return false;
  }

  #checkLinger(nowMs: number): void {
    const { unsentBytes } = this.#owner;
    if (unsentBytes > 0 || this.#lingerOwesBytes) {
      // A peer cannot close before it has the last word: its time begins at the first look that finds all of it sent.
      this.#lingerOwesBytes = unsentBytes > 0;
      this.#lingerEndsMs = nowMs + this.#limits.lingerTimeoutMs;
    } else if (nowMs >= this.#lingerEndsMs) {
      this.#owner.passed('linger-timeout');
      return;
    }
    this.#arm(this.#lingerEndsMs - nowMs);
  }
}
