// How entries travel: the Unix format of LIST that every client can read, the bare names of NLST, and the facts of
// MLSD and MLST (RFC 3659 §7). The time comes in as an argument.

import type { Entry } from '../file-system.ts';
import type { AbsolutePath } from '../path.ts';
import type { ResolvedRights, Rights } from '../users/rights.ts';

// `ls` shows the year instead of the time of day once a date is about half a year away.
const RECENT_MS = 180 * 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const twoDigits = (number: number): string => (number < 10 ? `0${number}` : String(number));

// File systems hold dates that JavaScript can't (beyond the year 275760) and that no reader of four digits understands.
// They are told as the nearest that can be: one odd date must not break a whole listing.
const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);
const dateOf = (timeMs: number): Date =>
  new Date(Number.isNaN(timeMs) ? 0 : Math.min(Math.max(timeMs, FIRST_MS), LAST_MS));

/** A name with a line end or another control byte in it would forge lines of the listing: such entries are left out. */
export const mayBeListed = (entry: Entry): boolean => !/[\0-\x1f\x7f]/.test(entry.name);

// The files of one directory are often of one minute.
let last = { minute: Number.NaN, isRecent: false, text: '' };

/** The time of LIST, in UTC: the only zone that a client can know. */
function listTime(mtimeMs: number, nowMs: number): string {
  const isRecent = mtimeMs <= nowMs + 86_400_000 && nowMs - mtimeMs < RECENT_MS;
  const minute = Math.floor(mtimeMs / 60_000);
  if (last.minute === minute && last.isRecent === isRecent) return last.text;
  const date = dateOf(mtimeMs);
  const day = `${MONTHS[date.getUTCMonth()] ?? 'Jan'} ${twoDigits(date.getUTCDate())}`;
  const text = isRecent
    ? `${day} ${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}`
    : `${day}  ${date.getUTCFullYear()}`;
  last = { minute, isRecent, text };
  return text;
}

// There are 512, and few of them are met.
const permissionTexts = new Map<number, string>();

function permissionText(mode: number): string {
  const known = permissionTexts.get(mode);
  if (known !== undefined) return known;
  let text = '';
  for (let bit = 8; bit >= 0; bit -= 1) text += (mode >> bit) & 1 ? 'rwx'.charAt((8 - bit) % 3) : '-';
  permissionTexts.set(mode, text);
  return text;
}

/** Who reads a listing, and when: the `perm` fact and the form of dates depend on it. */
export interface ListingReader {
  readonly nowMs: number;
  /** What the reader may do with an entry. */
  readonly rightsOf: (entry: Entry) => Rights;
  /** What nobody deletes or renames. */
  readonly isFixed: (entry: Entry) => boolean;
}

/** The reader of a listing of `directory`, or of something in it. */
export function listingReader(rights: ResolvedRights, directory: AbsolutePath, nowMs: number): ListingReader {
  const below = directory === '/' ? '/' : `${directory}/`;
  const isRoot = ({ name }: Entry): boolean => name === '';
  if (rights.hasRuleBelow(directory))
    return {
      nowMs,
      rightsOf: ({ name }) => rights.at(below + name),
      isFixed: (entry) => isRoot(entry) || rights.isFixed(below + entry.name),
    };
  const everywhere = rights.at(directory);
  return { nowMs, rightsOf: () => everywhere, isFixed: isRoot };
}

/** The letters of the `perm` fact (RFC 3659 §7.5.5). */
function permOf(entry: Entry, reader: ListingReader): string {
  const rights = reader.rightsOf(entry);
  const isMovable = !reader.isFixed(entry);
  const mayReplace = rights.write === 'replace';
  const letters: readonly (readonly [string, boolean])[] =
    entry.type === 'directory'
      ? [
          ['e', true],
          ['l', rights.list],
          ['c', rights.write !== 'no'],
          ['m', rights.makeDirectories],
          ['p', rights.delete],
          ['d', rights.delete && isMovable],
          ['f', rights.rename && isMovable],
        ]
      : [
          ['r', rights.read],
          ['a', mayReplace],
          ['d', rights.delete],
          ['f', rights.rename],
          ['w', mayReplace],
        ];
  return letters.map(([letter, may]) => (may ? letter : '')).join('');
}

const LETTERS = { file: '-', directory: 'd', link: 'l' } as const;
/** What is shown where a file system has no modes. */
const MODES = { file: 0o644, directory: 0o755, link: 0o777 } as const;
const owner = (id: number | string | undefined): string => (id === undefined ? 'ftp     ' : String(id).padEnd(8));

/** One line of LIST as `ls -l` prints it, without its line end. */
export function listLine(entry: Entry, { nowMs }: ListingReader): string {
  const { type, uid, gid, target } = entry;
  const mode = permissionText((entry.mode ?? MODES[type]) & 0o777);
  const name = target === undefined ? entry.name : `${entry.name} -> ${target.replace(/[\0-\x1f\x7f]/g, '?')}`;
  return `${LETTERS[type]}${mode}   1 ${owner(uid)} ${owner(gid)} ${String(entry.sizeBytes).padStart(12)} ${listTime(entry.mtimeMs, nowMs)} ${name}`;
}

/** `YYYYMMDDHHMMSS` in UTC (RFC 3659 §2.3). */
export function timeVal(timeMs: number): string {
  const date = dateOf(timeMs);
  return (
    String(date.getUTCFullYear()).padStart(4, '0') +
    [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
      .map(twoDigits)
      .join('')
  );
}

/** Milliseconds since 1970 of a `time-val`; undefined when it is none, or no day of the calendar. */
export function parseTimeVal(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,3})\d*)?$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second, Number((match[7] ?? '').padEnd(3, '0')));
  // Date.UTC rolls the 31st of February over into March; the round trip shows it.
  return timeVal(timeMs) === text.slice(0, 14) ? timeMs : undefined;
}

// The value of a fact ends at a semicolon and the facts at a space (RFC 3659 §7.2): a target with one of them is not told.
const linkFact = ({ target = '' }: Entry): string => `OS.unix=slink:${/[;\0-\x20\x7f]/.test(target) ? '' : target}`;
const TYPE_FACTS = { file: () => 'file', directory: () => 'dir', link: linkFact } as const;

/** The facts that this server knows, in the order they are sent. Names are compared without case (RFC 3659 §7.5). */
export const FACTS = {
  type: (entry: Entry) => TYPE_FACTS[entry.type](entry),
  size: (entry: Entry) => (entry.type === 'file' ? String(entry.sizeBytes) : undefined),
  modify: (entry: Entry) => timeVal(entry.mtimeMs),
  perm: permOf,
  unique: (entry: Entry) => entry.unique,
  'unix.mode': (entry: Entry) => (entry.mode === undefined ? undefined : `0${entry.mode.toString(8).padStart(3, '0')}`),
  'unix.uid': (entry: Entry) => idFact(entry.uid),
  'unix.gid': (entry: Entry) => idFact(entry.gid),
} as const satisfies Record<string, (entry: Entry, reader: ListingReader) => string | undefined>;

const idFact = (id: number | string | undefined): string | undefined => (id === undefined ? undefined : String(id));

export type Fact = keyof typeof FACTS;
export const ALL_FACTS = Object.keys(FACTS) as readonly Fact[];

/** `type=file;size=3;modify=…; name`: a fact without a value is left out. */
export function factLine(
  entry: Entry,
  facts: readonly Fact[],
  reader: ListingReader,
  name: string = entry.name,
): string {
  let text = '';
  for (const fact of facts) {
    const value = FACTS[fact](entry, reader);
    if (value !== undefined) text += `${fact}=${value};`;
  }
  return `${text} ${name}`;
}

/** The facts named in an `OPTS MLST` argument that are known; unknown ones are passed over (RFC 3659 §7.9). */
export function selectFacts(argument: string): Fact[] {
  const wanted = new Set(argument.toLowerCase().split(';'));
  return ALL_FACTS.filter((fact) => wanted.has(fact));
}

/** `type*;size*;perm;` with a star at each selected fact, as FEAT shows them (RFC 3659 §7.8). */
export const factsFeature = (selected: readonly Fact[]): string =>
  ALL_FACTS.map((fact) => `${fact}${selected.includes(fact) ? '*' : ''};`).join('');
