// What a user may do, path by path. A rule holds for its path and all that is below, up to a rule for a longer path.

import { fail, ok, type Result } from '@wellknown/core';
import { resolvePath, type AbsolutePath } from '../path.ts';

/** What may be done with the files and directories at and below one path. */
export interface Rights {
  /** To see names and facts: LIST, NLST, MLSD, MLST, STAT, SIZE, MDTM. Without it a directory may still be entered. */
  readonly list: boolean;
  /** To fetch files: RETR and checksums. */
  readonly read: boolean;
  /** To store files. `create`: only names that nothing has yet; STOR over a file, APPE and REST are answered 553. */
  readonly write: 'no' | 'create' | 'replace';
  /** To delete files and directories. */
  readonly delete: boolean;
  /** To rename: both the old and the new path must have it. */
  readonly rename: boolean;
  readonly makeDirectories: boolean;
  /** To change times and modes of what is there: MFMT, SITE CHMOD, SITE UTIME. */
  readonly attributes: boolean;
  /** The largest file that may be stored; 552 as soon as one more byte comes. */
  readonly maxFileBytes: number;
  /**
   * Only files with one of these extensions may be stored or be the target of a rename, such as `['.jpg']`; compared
   * without case.
   */
  readonly extensions: readonly string[] | undefined;
}

const NONE: Rights = {
  list: false,
  read: false,
  write: 'no',
  delete: false,
  rename: false,
  makeDirectories: false,
  attributes: false,
  maxFileBytes: Number.POSITIVE_INFINITY,
  extensions: undefined,
};
const READ: Rights = { ...NONE, list: true, read: true };

/** The sets of rights that have a name. */
export const NAMED_RIGHTS = {
  none: NONE,
  read: READ,
  full: {
    ...READ,
    write: 'replace',
    delete: true,
    rename: true,
    makeDirectories: true,
    attributes: true,
  },
  /** Reads everything and adds files and directories; what is there stays as it is. */
  'create-only': { ...READ, write: 'create', makeDirectories: true },
  /** Files may be put in; nothing is seen, read or changed. */
  'drop-box': { ...NONE, write: 'create' },
} as const satisfies Record<string, Rights>;

export type NamedRights = keyof typeof NAMED_RIGHTS;

export const isNamedRights = (text: string): text is NamedRights => Object.hasOwn(NAMED_RIGHTS, text);

/** A named set, or one changed: `{ base: 'full', delete: false }`. */
export type RightsRule = NamedRights | ({ readonly base?: NamedRights } & Partial<Rights>);

/** One rule for everything, or rules by path: `{ '/': 'read', '/incoming': 'drop-box' }`. Without a rule for `/`: none there. */
export type RightsOption = RightsRule | RightsByPath;

export type RightsByPath = Readonly<Record<`/${string}`, RightsRule>>;

/** Rules that have been read. */
export interface ResolvedRights {
  at(path: AbsolutePath): Rights;
  /** Whether a rule for something below `path` exists: then the way there is open. */
  hasRuleBelow(path: AbsolutePath): boolean;
  /** What a rule names, or leads to, is neither moved nor removed: elsewhere other rights would hold for it. */
  isFixed(path: AbsolutePath): boolean;
  /** Whether anything may be changed anywhere: for an answer before a path is known. */
  readonly mayChange: boolean;
}

/** The rules by path, where the option is such; a path is known by its slash. */
const rulesOf = (option: RightsOption): [string, RightsRule][] | undefined =>
  typeof option === 'object' && Object.keys(option).some((key) => key.startsWith('/'))
    ? Object.entries(option as RightsByPath)
    : undefined;

const rightsOf = (rule: RightsRule): Rights => {
  if (typeof rule === 'string') return NAMED_RIGHTS[rule];
  const { base = 'none', ...changes } = rule;
  return { ...NAMED_RIGHTS[base], ...changes };
};

/** Whether nothing at all may be done: what has such rights does not exist for the user. */
export const isNothing = ({ list, read, ...others }: Rights): boolean => !list && !read && !changes(others);

const changes = (rights: Omit<Rights, 'list' | 'read'>): boolean =>
  rights.write !== 'no' || rights.delete || rights.rename || rights.makeDirectories || rights.attributes;

/** One rule for everything. */
const everywhere = (rights: Rights): ResolvedRights => ({
  at: () => rights,
  hasRuleBelow: () => false,
  isFixed: (path) => path === '/',
  mayChange: changes(rights),
});

/** The sets that have a name, read once for all logins. */
const NAMED = new Map(Object.entries(NAMED_RIGHTS).map(([name, rights]) => [name, everywhere(rights)]));

/** Reads the rules; a sentence when a rule's path is none. */
export function resolveRights(option: RightsOption): Result<ResolvedRights, string> {
  const named = typeof option === 'string' ? NAMED.get(option) : undefined;
  if (named !== undefined) return ok(named);
  const given = rulesOf(option);
  if (given === undefined) return ok(everywhere(rightsOf(option)));
  const rules: { readonly path: AbsolutePath; readonly below: string; readonly rights: Rights }[] = [];
  for (const [text, rule] of given) {
    const path = text.startsWith('/') ? resolvePath('/', text) : undefined;
    if (path?.ok !== true) return fail(`'${text}' is no absolute path`);
    rules.push({ path: path.value, below: path.value === '/' ? '/' : `${path.value}/`, rights: rightsOf(rule) });
  }
  // The longest first: the first that holds is the closest.
  rules.sort((one, other) => other.path.length - one.path.length);
  const hasRuleBelow = (path: AbsolutePath): boolean =>
    rules.some((rule) => rule.path !== path && rule.path.startsWith(path === '/' ? path : `${path}/`));
  return ok({
    at: (path) => rules.find((rule) => rule.path === path || path.startsWith(rule.below))?.rights ?? NONE,
    hasRuleBelow,
    isFixed: (path) => path === '/' || rules.some((rule) => rule.path === path) || hasRuleBelow(path),
    mayChange: rules.some(({ rights }) => changes(rights)),
  });
}
