// `--run-as USER[:GROUP]`: who the workers become. Text of the system's databases in, numbers out; no
// process is changed here.

import type { Identity } from '../options.ts';
import { fail, ok, type Result } from '../result.ts';

interface Entry {
  readonly name: string;
  readonly id: number;
  readonly rest: readonly string[];
}

/** Lines of passwd(5) or group(5): name:password:id:… */
const entries = (text: string): Entry[] =>
  text.split('\n').flatMap((line) => {
    const [name = '', , id = '', ...rest] = line.split(':');
    return /^\d+$/.test(id) && name !== '' ? [{ name, id: Number(id), rest }] : [];
  });

const find = (list: readonly Entry[], wanted: string): Entry | undefined =>
  list.find((entry) => entry.name === wanted) ?? list.find((entry) => String(entry.id) === wanted);

/**
 * Reads `USER[:GROUP]`, names or numbers, with the contents of /etc/passwd and /etc/group. Without a group, the user's
 * own.
 */
export function parseIdentity(text: string, passwd: string, groups: string): Result<Identity, string> {
  const [userText = '', groupText, ...surplus] = text.split(':');
  if (userText === '' || groupText === '' || surplus.length > 0)
    return fail(`'${text}' is not of the form USER[:GROUP]`);
  const user = find(entries(passwd), userText);
  if (user === undefined) return fail(`the user '${userText}' does not exist`);
  if (groupText === undefined) return ok({ uid: user.id, gid: Number(user.rest[0]) });
  const group = find(entries(groups), groupText);
  return group === undefined ? fail(`the group '${groupText}' does not exist`) : ok({ uid: user.id, gid: group.id });
}

/** Why a process may not become `wanted`, or undefined when it may. Only root may become another user. */
export function becomeProblem(
  wanted: Identity,
  actual: Pick<ProcessIdentity, 'effectiveUid' | 'effectiveGid'>,
): string | undefined {
  const { effectiveUid, effectiveGid } = actual;
  if (effectiveUid === 0 || (effectiveUid === wanted.uid && effectiveGid === wanted.gid)) return undefined;
  return `only root may run workers as another user or group; this is user ${effectiveUid}, group ${effectiveGid}`;
}

/** What a process says of itself. */
export interface ProcessIdentity {
  readonly uid: number;
  readonly effectiveUid: number;
  readonly gid: number;
  readonly effectiveGid: number;
  readonly groups: readonly number[];
}

/**
 * What is still too much about a process that should have become `wanted`, or undefined: user, group and every other
 * group.
 */
export function identityProblem(wanted: Identity, actual: ProcessIdentity): string | undefined {
  if (actual.uid !== wanted.uid || actual.effectiveUid !== wanted.uid)
    return `runs as user ${actual.uid} (effective ${actual.effectiveUid}), not ${wanted.uid}`;
  if (actual.gid !== wanted.gid || actual.effectiveGid !== wanted.gid)
    return `runs as group ${actual.gid} (effective ${actual.effectiveGid}), not ${wanted.gid}`;
  const others = actual.groups.filter((group) => group !== wanted.gid);
  return others.length === 0 ? undefined : `still belongs to the groups ${others.join(', ')}`;
}
