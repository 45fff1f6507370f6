// The log level over all processes: the program's own until somebody changes it, then the same in all of them, and in the
// workers that start later.

import { currentLogLevel, setLogLevel, type Logger, type LogLevel } from '../log.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolLogLevel {
  readonly #log: Logger;
  readonly #pool: Pick<WorkerPool, 'all'>;
  /** As it was changed to. */
  #changed: LogLevel | undefined;

  constructor(log: Logger, pool: Pick<WorkerPool, 'all'>) {
    this.#log = log;
    this.#pool = pool;
  }

  /** Throws WRONG_STATE where the logger has none. */
  get current(): string {
    return currentLogLevel(this.#log);
  }

  /** Throws WRONG_STATE where the logger has none, and OPTION_INVALID for what is no level. */
  change(level: LogLevel): void {
    setLogLevel(this.#log, level);
    this.#changed = level;
    for (const worker of this.#pool.all()) this.introduce(worker);
  }

  /** A worker's program runs. */
  introduce(worker: WorkerHandle): void {
    if (this.#changed !== undefined && worker.stage !== 'loading')
      worker.send({ type: 'log-level', level: this.#changed });
  }
}
