// What a server without workers is doing. Each state is told to subscribers as it begins. Nothing is done here: the
// server asks what is to be done, and does it.
//
//     new ──▶ opening ──▶ open ──▶ draining ──▶ ended
//      │         ├──▶ closing ─────▲
//      └─────────┴─────────────────┘

import { WellknownError } from '../errors.ts';
import type { ServerState } from '../observe/status.ts';
import { closedBeforeReady, publishServer } from '../server.ts';

type State =
  | { readonly at: 'new' }
  | { readonly at: 'opening' }
  | { readonly at: 'open' }
  /** Closed while it was opening: the step that is under way comes to its end, and nothing else is bound. */
  | { readonly at: 'closing' }
  | { readonly at: 'draining' }
  | { readonly at: 'ended' };

/** What has to be done for who asks for a close. While it is opening that is nothing: whoever opens it finds it closed. */
export type CloseVerdict = 'drain' | 'shorten-grace' | 'nothing';

const TOLD: Readonly<Record<State['at'], ServerState>> = {
  new: 'starting',
  opening: 'starting',
  open: 'listening',
  closing: 'draining',
  draining: 'draining',
  ended: 'ended',
};

export class StandaloneLifecycle {
  /** Resolves when it has ended; rejects when draining has failed. */
  readonly ended: Promise<void>;
  #settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } = {
    resolve: () => undefined,
    reject: () => undefined,
  };
  #state: State = { at: 'new' };

  constructor() {
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Who closes it is told.
    this.ended.catch(() => undefined);
  }

  get at(): State['at'] {
    return this.#state.at;
  }

  /** The same as others see it. */
  get state(): ServerState {
    return TOLD[this.#state.at];
  }

  /** Throws unless nothing was asked of it before. */
  open(): void {
    switch (this.#state.at) {
      case 'new':
        this.#move({ at: 'opening' });
        return;
      case 'opening':
      case 'open':
        throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      case 'closing':
      case 'draining':
      case 'ended':
        throw closedBeforeReady();
    }
  }

  /** Throws when it was closed meanwhile. */
  requireOpening(): void {
    if (this.#state.at !== 'opening') throw closedBeforeReady();
  }

  /** Everything listens. Throws when it was closed meanwhile. */
  opened(): void {
    this.requireOpening();
    this.#move({ at: 'open' });
  }

  close(): CloseVerdict {
    switch (this.#state.at) {
      case 'new':
      case 'open':
        this.#move({ at: 'draining' });
        return 'drain';
      case 'opening':
        this.#move({ at: 'closing' });
        return 'nothing';
      case 'draining':
        return 'shorten-grace';
      case 'closing':
      case 'ended':
        return 'nothing';
    }
  }

  /** It could not be opened, or was closed meanwhile: what was bound by then is to be given back. */
  openingFailed(): void {
    if (this.#state.at !== 'opening' && this.#state.at !== 'closing')
      throw new WellknownError('WRONG_STATE', `nothing is being opened, the server is ${this.#state.at}`, {
        fault: 'local',
      });
    this.#move({ at: 'draining' });
  }

  /** Everything is given back. `failure`: not everything could be. */
  end(failure?: { readonly error: unknown }): void {
    this.#move({ at: 'ended' });
    if (failure === undefined) this.#settle.resolve();
    else this.#settle.reject(failure.error);
  }

  #move(to: State): void {
    const before = this.#state.at;
    this.#state = to;
    // A server that is closed while it opens drains from then on, for others.
    if (before === 'new' || TOLD[before] !== TOLD[to.at]) publishServer('standalone', TOLD[to.at]);
  }
}
