// LINEMODE with one client: asked for where the server wants it, and following the session's mode.

import { OPTIONS } from './engine/codes.ts';
import { LINEMODE_CHARACTER, LINEMODE_EDIT, parseLinemode } from './engine/options/linemode.ts';
import type { Mode } from './mode.ts';
import type { OptionFeature, PeerOptions } from './peer-options.ts';

export interface Linemode extends OptionFeature {
  /** The session is in another mode. */
  follow(mode: Mode): void;
}

export interface LinemodeParts {
  readonly options: PeerOptions;
  readonly isWanted: boolean;
  readonly mode: () => Mode;
}

const LINEMODE = OPTIONS.LINEMODE.code;

/** Asks every client but those of worlds, which edit lines anyway. */
export function createLinemode({ options, isWanted, mode }: LinemodeParts): Linemode {
  const answered = new Set<number>();
  let isAsked = false;

  const follow = (mode: Mode): void => {
    if (options.isOn('peer', LINEMODE)) options.send(LINEMODE, mode === 'line' ? LINEMODE_EDIT : LINEMODE_CHARACTER);
  };

  return {
    named(isMudClient) {
      if (!isWanted || isMudClient || isAsked) return;
      isAsked = true;
      options.request('peer', LINEMODE, true);
    },
    changed({ side, option, enabled }) {
      if (side === 'peer' && option === LINEMODE && enabled) follow(mode());
    },
    follow,
    received(option, payload) {
      const message = option === LINEMODE ? parseLinemode(payload, answered) : undefined;
      if (message?.type !== 'special-characters') return;
      for (const { function: name } of message.characters) answered.add(name);
      if (message.answer.length > 0) options.send(LINEMODE, message.answer);
    },
  };
}
