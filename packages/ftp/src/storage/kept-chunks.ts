// Which targets of uploads hold nothing of a chunk once they have written it: its buffer may be read into again.

import type { WriteTarget } from '../file-system.ts';

// Not a property: who wraps a target and keeps the chunks would copy it with the rest.
const keepingNothing = new WeakSet<WriteTarget>();

/** Says of a target that nothing of the chunks is held once its `write` has resolved. */
export function keepingNone(target: WriteTarget): WriteTarget {
  keepingNothing.add(target);
  return target;
}

export const keepsNothing = (target: WriteTarget): boolean => keepingNothing.has(target);
