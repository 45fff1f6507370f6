// Who may connect, by address: `allow` and `deny` ranges, of which the most specific one that holds the address
// decides.

import { CidrTable } from './cidr-table.ts';
import type { Address } from './address.ts';
import { fail, ok, type Result } from '../result.ts';

export interface AccessVerdict {
  readonly allowed: boolean;
  /** The range that decided; undefined when none holds the address. */
  readonly rule: string | undefined;
}

export interface AccessRules {
  /** An address in no range may connect unless there is an `allow`. Unix peers may: their folder's mode decides. */
  decide(address: Address | string): AccessVerdict;
}

/** Builds the rules. The problem names the list and the range that is wrong. */
export function createAccessRules(lists: {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}): Result<AccessRules, string> {
  const { allow = [], deny = [] } = lists;
  const table = new CidrTable<boolean>();
  for (const [name, ranges, value] of [
    ['allow', allow, true],
    ['deny', deny, false],
  ] as const) {
    for (const range of ranges) {
      const added = table.add(range, value);
      if (!added.ok) return fail(`${name}: ${added.error}`);
    }
  }
  const otherwise: AccessVerdict = { allowed: allow.length === 0, rule: undefined };
  return ok({
    decide(address) {
      if (typeof address !== 'string' && address.family === 'unix') return { allowed: true, rule: undefined };
      const found = table.match(address);
      return found === undefined ? otherwise : { allowed: found.value, rule: found.cidr };
    },
  });
}
