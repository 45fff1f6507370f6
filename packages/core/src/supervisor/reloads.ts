// Reloads, one after the other.

import type { ResolvedOptions } from '../resolved-options.ts';
import type { Reloaded } from '../server.ts';
import type { ArbiterEvent } from './arbiter-state.ts';
import { prepareGeneration } from './next-generation.ts';
import type { PrimaryParts } from './primary-parts.ts';

export class Reloads {
  readonly #parts: PrimaryParts;
  readonly #options: Pick<ResolvedOptions, 'log' | 'nextServices'>;
  readonly #observe: (events: readonly ArbiterEvent[]) => void;
  #present: Promise<unknown> = Promise.resolve();
  /** Asked for during the present one. */
  #next: Promise<Reloaded> | undefined;

  /** `observe` lets the arbiter decide on what has happened. */
  constructor(
    parts: PrimaryParts,
    options: Pick<ResolvedOptions, 'log' | 'nextServices'>,
    observe: (events: readonly ArbiterEvent[]) => void,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#observe = observe;
  }

  /**
   * During a reload it is done afterwards, since workers that have started already may have read what was there before.
   * However many ask meanwhile, it is one.
   */
  reload(): Promise<Reloaded> {
    if (this.#parts.lifecycle.at !== 'reloading') {
      const reloaded = this.#begin();
      this.#present = reloaded;
      return reloaded;
    }
    this.#next ??= this.#present
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.reload();
      });
    return this.#next;
  }

  async #begin(): Promise<Reloaded> {
    const { lifecycle, pool, listeners } = this.#parts;
    const { log, nextServices } = this.#options;
    const reloaded = lifecycle.reload();
    pool.exits.forgetStartFailure();
    let kept: Reloaded['kept'] = [];
    try {
      const next = await nextServices?.();
      kept = next?.kept ?? [];
      const events = await prepareGeneration(this.#parts, next);
      if (lifecycle.at === 'reloading') this.#observe(events);
      // It was stopped meanwhile: what was bound for it is given back.
      else await listeners.keepOnly(new Map());
    } catch (error) {
      log.error({ err: error }, 'the reload failed');
      lifecycle.reloaded(error instanceof Error ? error : new Error(String(error)));
    }
    await reloaded;
    return { kept };
  }
}
