// Dropping privileges, and making sure that they are gone.

import type { Identity } from '../options.ts';
import { WellknownError } from '../errors.ts';
import { becomeProblem, identityProblem } from './run-as.ts';

function verify(identity: Identity): void {
  const problem = identityProblem(identity, {
    uid: process.getuid?.() ?? -1,
    effectiveUid: process.geteuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    effectiveGid: process.getegid?.() ?? -1,
    groups: process.getgroups?.() ?? [],
  });
  if (problem !== undefined)
    throw new WellknownError('PRIVILEGES_KEPT', `this process ${problem}`, { fault: 'system' });
}

/** Becomes `identity` for good, if this process is not it already. Throws when anything of the old one is left. */
export function becomeIdentity(identity: Identity): void {
  if (
    process.getuid?.() !== identity.uid ||
    process.getgid?.() !== identity.gid ||
    (process.getgroups?.() ?? []).some((group) => group !== identity.gid)
  ) {
    // Groups first: only a privileged process may change them.
    process.setgroups?.([identity.gid]);
    process.setgid?.(identity.gid);
    process.setuid?.(identity.uid);
  }
  verify(identity);
  if (identity.uid === 0) return;
  let canReturn = true;
  try {
    process.setuid?.(0);
  } catch {
    canReturn = false;
  }
  if (canReturn) throw new WellknownError('PRIVILEGES_KEPT', 'this process can become root again', { fault: 'system' });
}

/** Throws PERMISSION_DENIED where this process may not make processes that are `identity`. */
export function requireMayBecome(identity: Identity): void {
  const effective = { effectiveUid: process.geteuid?.() ?? 0, effectiveGid: process.getegid?.() ?? 0 };
  const problem = becomeProblem(identity, effective);
  if (problem !== undefined)
    throw new WellknownError('PERMISSION_DENIED', `runAs: ${problem}`, {
      fault: 'system',
      hint: 'start it as root, or leave runAs out',
    });
}
