// How entries travel: the Unix format of LIST that every client can read, the bare names of NLST, and the facts of
// MLSD and MLST (RFC 3659 §7). The time comes in as an argument.

import type { Entry } from '../file-system.ts';
import type { AbsolutePath } from '../path.ts';
import type { ResolvedRights, Rights } from '../users/rights.ts';

// `ls` shows the year instead of the time of day once a date is about half a year away.
const RECENT_MS = 180 * 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// Each part of a date is one of these.
const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
const twoDigits = (number: number): string => TWO_DIGITS[number] ?? '00';

// File systems hold dates that JavaScript can't (beyond the year 275760) and that no reader of four digits understands.
// They are told as the nearest that can be: one odd date must not break a whole listing.
const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);
const tellable = (timeMs: number): number => (Number.isNaN(timeMs) ? 0 : Math.min(Math.max(timeMs, FIRST_MS), LAST_MS));

/** A name with a line end in it would forge lines of the listing, and no command can name it: such entries are left out. */
export const mayBeListed = (entry: Entry): boolean => !/[\0\r\n]/.test(entry.name);

const DAY_MS = 86_400_000;

// The files of one directory are often of few days, and to ask a Date for its parts is dear.
let lastDay = { day: Number.NaN, year: '', month: 0, dayOfMonth: '' };

/** The day, in UTC, of a time within `FIRST_MS` and `LAST_MS`. */
function dayOf(timeMs: number): typeof lastDay {
  const day = Math.floor(timeMs / DAY_MS);
  if (lastDay.day === day) return lastDay;
  const date = new Date(day * DAY_MS);
  lastDay = {
    day,
    year: String(date.getUTCFullYear()),
    month: date.getUTCMonth(),
    dayOfMonth: twoDigits(date.getUTCDate()),
  };
  return lastDay;
}

/** How many units of `unitMs` have passed since midnight, counted up to `perNext`: hours, minutes, seconds. */
const partOf = (timeMs: number, unitMs: number, perNext: number): string =>
  twoDigits(Math.floor((timeMs - Math.floor(timeMs / DAY_MS) * DAY_MS) / unitMs) % perNext);
const hourOf = (timeMs: number): string => partOf(timeMs, 3_600_000, 24);
const minuteOf = (timeMs: number): string => partOf(timeMs, 60_000, 60);
const secondOf = (timeMs: number): string => partOf(timeMs, 1_000, 60);

/** The time of LIST, in UTC: the only zone that a client can know. */
function listTime(mtimeMs: number, nowMs: number): string {
  const isRecent = mtimeMs <= nowMs + DAY_MS && nowMs - mtimeMs < RECENT_MS;
  const timeMs = tellable(mtimeMs);
  const { year, month, dayOfMonth } = dayOf(timeMs);
  const day = `${MONTHS[month] ?? 'Jan'} ${dayOfMonth}`;
  return isRecent ? `${day} ${hourOf(timeMs)}:${minuteOf(timeMs)}` : `${day}  ${year}`;
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

// What may be done with most entries of a directory is the same.
let lastPerm: { rights?: Rights; type?: Entry['type']; isMovable?: boolean; text: string } = { text: '' };

/** The letters of the `perm` fact (RFC 3659 §7.5.5). */
function permOf(entry: Entry, reader: ListingReader): string {
  const rights = reader.rightsOf(entry);
  const isMovable = !reader.isFixed(entry);
  const { type } = entry;
  if (lastPerm.rights !== rights || lastPerm.type !== type || lastPerm.isMovable !== isMovable)
    lastPerm = { rights, type, isMovable, text: permLetters(type, rights, isMovable) };
  return lastPerm.text;
}

function permLetters(type: Entry['type'], rights: Rights, isMovable: boolean): string {
  const mayReplace = rights.write === 'replace';
  const letters: readonly (readonly [string, boolean])[] =
    type === 'directory'
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
  const name = target === undefined ? entry.name : `${entry.name} -> ${target.replace(/[\0\r\n]/g, '?')}`;
  return `${LETTERS[type]}${mode}   1 ${owner(uid)} ${owner(gid)} ${String(entry.sizeBytes).padStart(12)} ${listTime(entry.mtimeMs, nowMs)} ${name}`;
}

/** `YYYYMMDDHHMMSS` in UTC (RFC 3659 §2.3). */
export function timeVal(timeMs: number): string {
  const time = tellable(timeMs);
  const { year, month, dayOfMonth } = dayOf(time);
  return `${year}${twoDigits(month + 1)}${dayOfMonth}${hourOf(time)}${minuteOf(time)}${secondOf(time)}`;
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
