// What probes are told: whether a server lives, and whether it should be sent new connections. Pure.

import type { ServerStatus } from '../observe/status.ts';

export interface ProbeAnswer {
  readonly isWell: boolean;
  readonly words: string;
}

/** Ready is who accepts: a server that drains is not, and neither is one none of whose workers is. */
export function readiness({ state, role, workers }: Pick<ServerStatus, 'state' | 'role' | 'workers'>): ProbeAnswer {
  if (state === 'starting' || state === 'draining' || state === 'ended') return { isWell: false, words: state };
  if (role !== 'primary') return { isWell: true, words: 'ready' };
  const ready = workers.filter(({ at }) => at === 'ready').length;
  return { isWell: ready > 0, words: `${ready} of ${workers.length} workers ready` };
}
