// All deadlines of a process, on one timer.
//
// A hashed wheel: an entry hangs in the slot of its due tick modulo the number of slots; an entry that is due in a
// later round is met early and stays where it is. Schedule, move and cancel are O(1) and allocate nothing. The
// underlying timer runs only while something is scheduled. An entry never fires early, and at most one tick late (plus
// event-loop delay).
//
// The time is read from the clock each time, not from the last tick: after a stall of the event loop (a stopped process,
// a suspended machine) connections are accepted and read before the timer has run, and deadlines that count from the
// time before the stall would have passed at once.

import type { Clock, Timer } from './clock.ts';

// A tenth of a second: no deadline of a protocol is finer, and ten wake-ups a second cost nothing measurable.
const DEFAULT_TICK_MS = 100;
// 51.2 s per round at the default tick, so that the usual idle limits are met in few rounds.
const SLOT_COUNT = 512;

/** Something with a deadline. Create with `createWheelEntry`; one entry hangs in a wheel at most once. */
export interface WheelEntry {
  /** Called with the wheel's time. May schedule its own or other entries again. */
  fire(nowMs: number): void;
  /** The tick at which it is due, -1 when it is not scheduled. */
  dueTick: number;
  previous: WheelEntry | undefined;
  next: WheelEntry | undefined;
}

export const createWheelEntry = (fire: (nowMs: number) => void): WheelEntry => ({
  fire,
  dueTick: -1,
  previous: undefined,
  next: undefined,
});

const IGNORE = (): void => undefined;

export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  /** Each slot is a ring with a sentinel, so that unlinking needs no slot number. */
  readonly #slots: WheelEntry[];
  readonly #originMs: number;
  /** The last one whose entries have fired. */
  #tick = 0;
  #scheduled = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, tickMs: number = DEFAULT_TICK_MS) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#originMs = clock.nowMs();
    this.#slots = Array.from({ length: SLOT_COUNT }, () => {
      const sentinel = createWheelEntry(IGNORE);
      sentinel.previous = sentinel;
      sentinel.next = sentinel;
      return sentinel;
    });
  }

  /** How many entries are scheduled. */
  get size(): number {
    return this.#scheduled;
  }

  /** Milliseconds of the wheel's own time: the clock's, in whole ticks. */
  get nowMs(): number {
    return this.#clockTick() * this.#tickMs;
  }

  /** (Re)schedules `entry` to fire no sooner than `delayMs` from now. */
  schedule(entry: WheelEntry, delayMs: number): void {
    if (entry.dueTick >= 0) this.#unlink(entry);
    const nowTick = this.#clockTick();
    if (this.#timer === undefined) {
      this.#tick = nowTick;
      this.#timer = this.#clock.every(this.#tickMs, () => this.#advance());
    }
    // One tick is added because the current one has partly passed.
    const dueTick = nowTick + Math.max(1, Math.ceil(delayMs / this.#tickMs) + 1);
    const sentinel = this.#slots[dueTick % SLOT_COUNT];
    if (sentinel?.previous === undefined) return;
    entry.dueTick = dueTick;
    entry.previous = sentinel.previous;
    entry.next = sentinel;
    sentinel.previous.next = entry;
    sentinel.previous = entry;
    this.#scheduled += 1;
  }

  /** Takes `entry` out. Safe when it is not scheduled. */
  cancel(entry: WheelEntry): void {
    if (entry.dueTick < 0) return;
    this.#unlink(entry);
    if (this.#scheduled === 0) this.#sleep();
  }

  #clockTick(): number {
    return Math.floor((this.#clock.nowMs() - this.#originMs) / this.#tickMs);
  }

  #unlink(entry: WheelEntry): void {
    const { previous, next } = entry;
    if (previous !== undefined) previous.next = next;
    if (next !== undefined) next.previous = previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.dueTick = -1;
    this.#scheduled -= 1;
  }

  #sleep(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #advance(): void {
    const target = this.#clockTick();
    // After a long stall (a suspended laptop) one round over all slots meets every entry once.
    const first = Math.max(this.#tick + 1, target - SLOT_COUNT + 1);
    this.#tick = target;
    for (let tick = first; tick <= target; tick += 1) this.#fireSlot(tick % SLOT_COUNT);
    if (this.#scheduled === 0) this.#sleep();
  }

  #fireSlot(index: number): void {
    const sentinel = this.#slots[index];
    const due: WheelEntry[] = [];
    for (let entry = sentinel?.next; entry !== undefined && entry !== sentinel; entry = entry.next) {
      if (entry.dueTick <= this.#tick) due.push(entry);
    }
    for (const entry of due) {
      // An entry fired before it may have cancelled or moved this one.
      if (entry.dueTick < 0 || entry.dueTick > this.#tick) continue;
      this.#unlink(entry);
      entry.fire(this.#tick * this.#tickMs);
    }
  }
}
