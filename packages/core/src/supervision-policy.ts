// What decides over the life of workers. Its defaults stand with the arbiter (supervisor/arbiter-state.ts), which decides by it.

/** When workers are replaced, killed and given up on. */
export interface SupervisionPolicy {
  /** A worker that has not become ready within this is killed. */
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** A worker that has sent no beat for this long is killed: its event loop is blocked, or it is stopped. */
  readonly heartbeatTimeoutMs: number;
  /**
   * Once the beat of a worker, due each second, is so late, another one accepts from the sockets of its slot too, until it
   * beats again.
   */
  readonly lateBeatMs: number;
  /**
   * A worker that was ready for so long has shown that the code works: when it ends, its slot is started again at once.
   * After one that ends earlier the slot waits, each time longer.
   */
  readonly stableMs: number;
  readonly firstBackOffMs: number;
  /** The longest wait after workers that never became ready; after others it is a second. */
  readonly maxBackOffMs: number;
  /**
   * So many deaths before any worker became ready mean that none ever will. So many early ones of a reload whose first new
   * worker was ready mean that it has failed.
   */
  readonly maxStartFailures: number;
  /**
   * A worker that has accepted so many connections is replaced. Each worker's limit is up to a tenth lower, by chance.
   */
  readonly maxServed: number;
  /** A worker of this age is replaced; less up to a tenth, by chance, so that not all are replaced at once. */
  readonly maxAgeMs: number;
  /** Between how many spare workers (less than half busy) the pool is kept, and how many there may be in all. */
  readonly spare: { readonly min: number; readonly max: number; readonly maxWorkers: number } | undefined;
}

// Checked by the compiler to be all of them.
const ALL_SUPERVISION: Readonly<Record<keyof SupervisionPolicy, true>> = {
  startTimeoutMs: true,
  drainTimeoutMs: true,
  heartbeatTimeoutMs: true,
  lateBeatMs: true,
  stableMs: true,
  firstBackOffMs: true,
  maxBackOffMs: true,
  maxStartFailures: true,
  maxServed: true,
  maxAgeMs: true,
  spare: true,
};

export const SUPERVISION_OPTION_NAMES: readonly string[] = Object.keys(ALL_SUPERVISION);
