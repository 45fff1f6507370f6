// What a primary is doing and which caller waits for it: one change at a time. Each state is told to subscribers as it
// begins. Nothing is done here; the primary does it.
//
//     new ──▶ binding ──▶ starting ──▶ serving ◀──▶ reloading, upgrading
//      │         │            └───────────┴───┬──────────────┘
//      │         │                            ▼
//      │         │                        stopping
//      └─────────┴────────────────────────────┴──▶ ended

import { WellknownError } from '../errors.ts';
import type { ServerState } from '../observe/status.ts';
import { closedBeforeReady, publishServer, type ServerEventMessage } from '../server.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

type State =
  | { readonly at: 'new' }
  /** One that was closed meanwhile goes no further: what is bound is given back. */
  | { readonly at: 'binding'; readonly isClosed: boolean }
  | { readonly at: 'starting'; readonly waiter: Waiter }
  | { readonly at: 'serving' }
  | { readonly at: 'reloading'; readonly waiter: Waiter }
  | { readonly at: 'upgrading' }
  | {
      readonly at: 'stopping';
      readonly graceMs: number;
      /** A successor has the sockets. */
      readonly hasHandedOver: boolean;
      /** Of the change that does not come to its end any more. */
      readonly waiter: Waiter | undefined;
    }
  | { readonly at: 'ended' };

/** What a primary has to do when it is asked to stop. */
export type StopVerdict = 'stop' | 'shorten-grace' | 'nothing';

const TOLD: Readonly<Record<State['at'], ServerEventMessage['to'] | undefined>> = {
  new: undefined,
  binding: 'starting',
  // To subscribers it is `starting` since it began to bind.
  starting: undefined,
  serving: 'listening',
  reloading: 'reloading',
  upgrading: 'upgrading',
  stopping: 'draining',
  ended: 'ended',
};

export class PrimaryLifecycle {
  /** Resolves when it has ended; rejects when supervision has given up. */
  readonly ended: Promise<void>;
  /** How long workers may drain as long as it is not stopping. A reload may change it. */
  drainTimeoutMs: number;
  #end: Waiter = { resolve: () => undefined, reject: () => undefined };
  #state: State = { at: 'new' };

  constructor(drainTimeoutMs: number) {
    this.drainTimeoutMs = drainTimeoutMs;
    this.ended = new Promise((resolve, reject) => (this.#end = { resolve, reject }));
    // A caller who does not look at it is told by `listen` or by the log.
    this.ended.catch(() => undefined);
  }

  get at(): State['at'] {
    return this.#state.at;
  }

  /** The same as others see it. */
  get state(): ServerState {
    return TOLD[this.#state.at] ?? 'starting';
  }

  /** How long a worker that drains now may take. */
  get graceMs(): number {
    return this.#state.at === 'stopping' ? this.#state.graceMs : this.drainTimeoutMs;
  }

  get hasHandedOver(): boolean {
    return this.#state.at === 'stopping' && this.#state.hasHandedOver;
  }

  /** Throws unless nothing was asked of it before. */
  bind(): void {
    if (this.#state.at === 'ended') throw closedBeforeReady();
    if (this.#state.at !== 'new')
      throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
    this.#move({ at: 'binding', isClosed: false });
  }

  /** Everything is bound. Resolves once `complete` is called; throws when it was closed meanwhile. */
  start(): Promise<void> {
    if (this.#state.at !== 'binding' || this.#state.isClosed) throw closedBeforeReady();
    return new Promise((resolve, reject) => this.#move({ at: 'starting', waiter: { resolve, reject } }));
  }

  /** All workers are ready: `start` resolves. */
  complete(): void {
    if (this.#state.at === 'starting') this.#state.waiter.resolve();
  }

  /** The first start is over. */
  serve(): void {
    if (this.#state.at === 'starting') this.#move({ at: 'serving' });
  }

  /** Resolves or rejects as the reload ends. Throws while anything else is under way. */
  reload(): Promise<void> {
    this.#requireServing();
    return new Promise((resolve, reject) => this.#move({ at: 'reloading', waiter: { resolve, reject } }));
  }

  /** The reload has come to its end: well, or for a reason that its caller is told. */
  reloaded(error?: Error): void {
    if (this.#state.at !== 'reloading') return;
    const { waiter } = this.#state;
    this.#move({ at: 'serving' });
    if (error === undefined) waiter.resolve();
    else waiter.reject(error);
  }

  /** Throws while anything else is under way. */
  upgrade(): void {
    this.#requireServing();
    this.#move({ at: 'upgrading' });
  }

  /** No successor became ready. */
  upgradeFailed(): void {
    if (this.#state.at === 'upgrading') this.#move({ at: 'serving' });
  }

  /** Of two graces the shorter one holds. */
  stop(graceMs: number, hasHandedOver = false): StopVerdict {
    const state = this.#state;
    switch (state.at) {
      case 'new':
        this.#state = { at: 'ended' };
        this.#end.resolve();
        return 'nothing';
      case 'binding':
        if (!state.isClosed) publishServer('primary', 'draining');
        this.#state = { at: 'binding', isClosed: true };
        return 'nothing';
      case 'stopping':
        if (graceMs >= state.graceMs) return 'nothing';
        this.#state = { ...state, graceMs };
        return 'shorten-grace';
      case 'ended':
        return 'nothing';
      case 'starting':
      case 'reloading':
        this.#move({ at: 'stopping', graceMs, hasHandedOver, waiter: state.waiter });
        return 'stop';
      case 'serving':
      case 'upgrading':
        this.#move({ at: 'stopping', graceMs, hasHandedOver, waiter: undefined });
        return 'stop';
    }
  }

  /** No worker ever became ready. Whether that is what ends it: not when it is stopping already. */
  giveUp(): boolean {
    if (this.#state.at !== 'starting') return false;
    this.#state = { at: 'stopping', graceMs: 0, hasHandedOver: false, waiter: this.#state.waiter };
    return true;
  }

  /** Everything is given back. `failure` is why supervision gave up. */
  end(failure?: Error): void {
    const waiter = this.#state.at === 'stopping' ? this.#state.waiter : undefined;
    this.#move({ at: 'ended' });
    waiter?.reject(failure ?? closedBeforeReady());
    if (failure === undefined) this.#end.resolve();
    else this.#end.reject(failure);
  }

  /** Throws as long as there are no workers to speak of, and once there are none any more. */
  requireStarted(): void {
    if (['new', 'binding', 'ended'].includes(this.#state.at)) throw busy(this.#state.at);
  }

  #requireServing(): void {
    if (this.#state.at !== 'serving') throw busy(this.#state.at);
  }

  #move(to: State): void {
    this.#state = to;
    const told = TOLD[to.at];
    if (told !== undefined) publishServer('primary', told);
  }
}

const busy = (at: State['at']): WellknownError =>
  at === 'new' || at === 'ended'
    ? new WellknownError('WRONG_STATE', `the server ${at === 'new' ? 'does not listen yet' : 'has ended'}`, {
        fault: 'local',
      })
    : new WellknownError('WRONG_STATE', 'the server is starting, stopping, reloading or being upgraded already', {
        fault: 'local',
        hint: 'wait for it to end',
      });
