// Time is passed in, so that tests advance it instead of sleeping.

export interface Timer {
  /** Safe to call twice, and after the timer has fired. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  nowMs(): number;
  /** Milliseconds since 1970, for what people read. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`, never with Infinity. Does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /**
   * Calls `run` every `intervalMs`, at the longest every 24 days, until cancelled. `keepAlive` keeps the process from
   * ending while it runs.
   */
  every(intervalMs: number, run: () => void, options?: { readonly keepAlive?: boolean }): Timer;
}
