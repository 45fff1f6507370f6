// Sets of header fields as handlers give them: copied, checked, and combined as the platform's `Headers` does. Most
// handlers give few sets over and over. The same set given again is the same object, so that whoever prepares something
// for a set finds it there: it halves what a small response costs the engine (docs/benchmarks.md).

import { types } from 'node:util';
import { isToken } from '../semantics/char-classes.ts';
import { platform } from './platform.ts';

/** A whole head, as it was written for a set before. */
export interface PreparedHead {
  readonly status: number;
  /** Which `Date` line `text` holds. */
  dateLine: string;
  /** Status line and fields without the framing. */
  text: string;
  /** The last whole head made of it, and the length that it names. */
  headByteLength: number;
  head: string;
}

export type ResponseHeaders = Headers | readonly (readonly [string, string])[] | Readonly<Record<string, string>>;

/** The name and value pairs of headers in any of the forms that are taken. */
export function entriesOf(headers: ResponseHeaders): Iterable<readonly [string, string]> {
  return Symbol.iterator in headers ? headers : Object.entries(headers);
}

export class FieldSet implements Iterable<readonly [name: string, value: string]> {
  /** In the case that was given. */
  readonly names: readonly string[];
  readonly lowerNames: readonly string[];
  readonly values: readonly string[];
  /** It is found again when the same fields are given: what is prepared for it pays. */
  readonly isKept: boolean;
  /** Names and values are known to be those of field lines. */
  readonly isSendable: boolean;
  readonly hasType: boolean;
  /** For whoever writes heads: whether they say nothing about the connection or the content's length, once it is known. */
  isPlain: boolean | undefined = undefined;
  /** For whoever writes heads. */
  preparedHeads: PreparedHead[] | undefined = undefined;
  #typed: { readonly type: string; readonly fields: FieldSet } | undefined = undefined;

  constructor(
    names: readonly string[],
    lowerNames: readonly string[],
    values: readonly string[],
    isKept: boolean,
    isSendable: boolean,
  ) {
    this.names = names;
    this.lowerNames = lowerNames;
    this.values = values;
    this.isKept = isKept;
    this.isSendable = isSendable;
    this.hasType = lowerNames.includes('content-type');
  }

  /** The same fields, with a Content-Type if they have none. */
  withType(type: string): FieldSet {
    if (this.hasType) return this;
    if (this.#typed?.type !== type) {
      const fields = new FieldSet(
        [...this.names, 'Content-Type'],
        [...this.lowerNames, 'content-type'],
        [...this.values, type],
        this.isKept,
        this.isSendable && PLAIN_VALUE.test(type),
      );
      this.#typed = { type, fields };
    }
    return this.#typed.fields;
  }

  *[Symbol.iterator](): Generator<readonly [string, string]> {
    for (let index = 0; index < this.names.length; index += 1)
      yield [this.names[index] ?? '', this.values[index] ?? ''];
  }
}

export const NO_FIELDS = new FieldSet([], [], [], true, true);

// A handler has a few kinds of responses; searching more than this would cost more than it saves.
const MAX_SETS = 8;
const MAX_KEPT_FIELDS = 16;
// After so many sets in a row that were not known, they are others every time, and only one in so many is looked for and
// kept.
const MISSES_BEFORE_REST = 32;
// What the platform takes as it stands, and a field line may hold.
const PLAIN_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

const sets: FieldSet[] = [];
let next = 0;
let misses = 0;

type Pairs = readonly (readonly [string, string])[];

/**
 * The fields that a `HeadersInit` means. Throws what the platform throws for one that is none, and lets the platform
 * read what is not of the plain forms.
 */
export function fieldsFrom(headers: unknown): FieldSet {
  if (headers === undefined) return NO_FIELDS;
  // Who looks through a proxy is told in which order it is asked.
  if (typeof headers === 'object' && headers !== null && !types.isProxy(headers)) {
    if (Array.isArray(headers)) {
      const known = find(isSamePairs, headers);
      if (known !== undefined) return known;
      if (arePlainPairs(headers)) return keep(headers, true);
      // For a symbol the platform throws.
    } else if (!(Symbol.iterator in headers) && Object.getOwnPropertySymbols(headers).length === 0) {
      const record = headers as Readonly<Record<string, unknown>>;
      const known = find(isSameRecord, record);
      if (known !== undefined) return known;
      const pairs = Object.entries(record);
      if (arePlainPairs(pairs)) return keep(pairs, true);
    }
  }
  const pairs = [...new (platform().Headers)(headers as HeadersInit)];
  return find(isSamePairs, pairs) ?? keep(pairs, false);
}

/** The same for fields that have been combined: names in lower case, none twice but `set-cookie`. */
export function fieldsFromLists(names: readonly string[], values: readonly string[]): FieldSet {
  const known = find(isSameLists, { names, values });
  return known ?? remember([...names], [...names], [...values], false);
}

type HeadersInit = ConstructorParameters<typeof Headers>[0];

/** The set that is the same, if it is known. */
function find<Given>(isSame: (set: FieldSet, given: Given) => boolean, given: Given): FieldSet | undefined {
  misses += 1;
  if (rests()) return undefined;
  for (const set of sets) {
    if (!isSame(set, given)) continue;
    misses = 0;
    return set;
  }
  return undefined;
}

const rests = (): boolean => misses > MISSES_BEFORE_REST && misses % MISSES_BEFORE_REST !== 0;

function keep(pairs: Pairs, isSendable: boolean): FieldSet {
  const names: string[] = [];
  const lowerNames: string[] = [];
  const values: string[] = [];
  for (const [name, value] of pairs) {
    const lowerName = name.toLowerCase();
    const known = lowerName === 'set-cookie' ? -1 : lowerNames.indexOf(lowerName);
    if (known >= 0) {
      values[known] = joinedValues(lowerName, values[known] ?? '', value);
      continue;
    }
    names.push(name);
    lowerNames.push(lowerName);
    values.push(value);
  }
  return remember(names, lowerNames, values, isSendable);
}

/** Lines of one name are one list; cookies have their own separator (RFC 9110 §5.3, RFC 6265 §5.4). */
export const joinedValues = (lowerName: string, first: string, second: string): string =>
  first + (lowerName === 'cookie' ? '; ' : ', ') + second;

function remember(names: string[], lowerNames: string[], values: string[], isSendable: boolean): FieldSet {
  const isKept = !rests() && names.length <= MAX_KEPT_FIELDS;
  const set = new FieldSet(names, lowerNames, values, isKept, isSendable);
  if (isKept) {
    sets[next] = set;
    next = (next + 1) % MAX_SETS;
  }
  return set;
}

/** A name that needs no other spelling, and a value that needs no trimming. */
export const isPlainField = (name: unknown, value: unknown): boolean =>
  typeof name === 'string' && isToken(name) && typeof value === 'string' && PLAIN_VALUE.test(value);

function arePlainPairs(pairs: readonly unknown[]): pairs is Pairs {
  return pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && isPlainField(pair[0], pair[1]));
}

function isSameRecord(set: FieldSet, record: Readonly<Record<string, unknown>>): boolean {
  const { names, values } = set;
  let count = 0;
  for (const name in record) {
    // Inherited names are no fields; V8 knows the answer inside such a loop.
    if (!Object.hasOwn(record, name)) continue;
    if (names[count] !== name || values[count] !== record[name]) return false;
    count += 1;
  }
  return count === names.length;
}

function isSamePairs({ names, values }: FieldSet, pairs: readonly unknown[]): boolean {
  if (names.length !== pairs.length) return false;
  for (let index = 0; index < names.length; index += 1) {
    const pair = pairs[index];
    if (!Array.isArray(pair) || pair.length !== 2 || names[index] !== pair[0] || values[index] !== pair[1])
      return false;
  }
  return true;
}

const isSameLists = (set: FieldSet, given: { names: readonly string[]; values: readonly string[] }): boolean =>
  isSameList(set.names, given.names) && isSameList(set.values, given.values);

function isSameList(known: readonly string[], given: readonly string[]): boolean {
  if (known.length !== given.length) return false;
  for (let index = 0; index < known.length; index += 1) if (known[index] !== given[index]) return false;
  return true;
}
