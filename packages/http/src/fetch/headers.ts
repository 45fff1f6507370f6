// A `Headers` without the platform's price: lists of names and values, which share those of the set that they were made
// of until they are changed. What is not of the plain forms is given to the platform, which reads or refuses it.

import { isToken } from '../semantics/char-classes.ts';
import { fieldsFrom, fieldsFromLists, isPlainField, joinedValues, type FieldSet } from './field-set.ts';
import { INSPECT, type Inspect } from './inspect.ts';
import { HeadersIterator, standFor } from './like-native.ts';
import { isInstance, platform } from './platform.ts';

/* eslint-disable prefer-rest-params -- an argument that is missing throws on the platform, one that is undefined is a text */

/** For this package: headers that hold what a set holds. What is immutable throws when it is to be changed. */
export let headersWith: (fields: FieldSet, isImmutable?: boolean) => HttpHeaders;

/** For this package: a copy, immutable where the headers are. */
export let copyOf: (headers: HttpHeaders) => HttpHeaders;

/** For this package: what headers hold; undefined for what is none of ours. */
export let fieldsOf: (headers: unknown) => FieldSet | undefined;

/** What the argument of a `new Headers` means. As Web IDL says, an iterator that somebody has put on headers is asked. */
export function fieldsGiven(init: unknown): FieldSet {
  const fields = fieldsOf(init);
  if (fields === undefined) return fieldsFrom(init);
  return (init as HttpHeaders)[Symbol.iterator] === ENTRIES ? fields : fieldsFrom(init);
}

/** Satisfies `instanceof Headers`, and behaves as the platform's. */
export class HttpHeaders implements Headers {
  // Names are in lower case, and no two are equal but those of cookies that are set.
  #names: readonly string[];
  #values: readonly string[];
  /** Holds the same, as long as nothing is changed. */
  #given: FieldSet | undefined;
  #isImmutable = false;
  // One function under two names, as on the platform: set below.
  declare readonly [Symbol.iterator]: Headers['entries'];

  constructor(init?: ConstructorParameters<typeof Headers>[0]) {
    const fields = fieldsGiven(init);
    this.#given = fields;
    this.#names = fields.lowerNames;
    this.#values = fields.values;
  }

  static {
    headersWith = (fields, isImmutable = false) => {
      const headers = new HttpHeaders();
      headers.#given = fields;
      headers.#names = fields.lowerNames;
      headers.#values = fields.values;
      headers.#isImmutable = isImmutable;
      return headers;
    };

    copyOf = (headers) => {
      const copy = new HttpHeaders(asHeaders(headers));
      copy.#isImmutable = headers.#isImmutable;
      return copy;
    };

    fieldsOf = (headers) =>
      typeof headers === 'object' && headers !== null && #names in headers
        ? (headers.#given ??= fieldsFromLists(headers.#names, headers.#values))
        : undefined;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return isInstance(this === HttpHeaders ? platform().Headers : this, value);
  }

  get(name: string): string | null {
    const lowerName = lowerNameOf(name, arguments);
    if (lowerName === 'set-cookie') {
      const cookies = this.getSetCookie();
      return cookies.length === 0 ? null : cookies.join(', ');
    }
    const index = this.#names.indexOf(lowerName);
    return index < 0 ? null : (this.#values[index] ?? null);
  }

  has(name: string): boolean {
    return this.#names.includes(lowerNameOf(name, arguments));
  }

  append(name: string, value: string): void {
    if (!isPlainField(name, value)) {
      for (const [plainName, plainValue] of platformField(arguments)) this.#append(plainName, plainValue);
      return;
    }
    this.#append(name.toLowerCase(), value);
  }

  delete(name: string): void {
    const lowerName = lowerNameOf(name, arguments);
    this.#checkMutable();
    if (this.#names.includes(lowerName)) this.#remove(lowerName, 0);
  }

  set(name: string, value: string): void {
    if (!isPlainField(name, value)) {
      for (const [plainName, plainValue] of platformField(arguments)) this.#set(plainName, plainValue);
      return;
    }
    this.#set(name.toLowerCase(), value);
  }

  getSetCookie(): string[] {
    return this.#values.filter((_, index) => this.#names[index] === 'set-cookie');
  }

  forEach(visit: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    if (typeof visit !== 'function') throw new TypeError('the argument of forEach is not a function');
    for (const [name, value] of this) visit.call(thisArg, value, name, this);
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#iterator(([name]) => name);
  }

  values(): ReturnType<Headers['values']> {
    return this.#iterator(([, value]) => value);
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#iterator(([name, value]) => [name, value]);
  }

  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const shown = Object.fromEntries([...this.keys()].map((name) => [name, this.get(name)]));
    return `Headers ${inspect(shown, options)}`;
  }

  /** In the order of names, and of what they are when each is asked for: changes on the way are seen. */
  #iterator<Item>(itemOf: (field: readonly [string, string]) => Item): IterableIterator<Item> {
    let names: readonly string[] | undefined;
    let sorted: [string, string][] = [];
    const fieldAt = (index: number): Item | undefined => {
      if (names !== this.#names) {
        names = this.#names;
        sorted = names.map((name, at): [string, string] => [name, this.#values[at] ?? '']).sort(byName);
      }
      const field = sorted[index];
      return field === undefined ? undefined : itemOf(field);
    };
    // Its prototype is the one of all iterators.
    const iterator: unknown = new HeadersIterator(fieldAt);
    return iterator as IterableIterator<Item>;
  }

  #append(lowerName: string, value: string): void {
    const index = lowerName === 'set-cookie' ? -1 : this.#names.indexOf(lowerName);
    if (index < 0) this.#change([...this.#names, lowerName], [...this.#values, value]);
    else this.#change(this.#names, this.#values.with(index, joinedValues(lowerName, this.#values[index] ?? '', value)));
  }

  #set(lowerName: string, value: string): void {
    const index = this.#names.indexOf(lowerName);
    if (index < 0) this.#append(lowerName, value);
    else {
      this.#change(this.#names, this.#values.with(index, value));
      if (lowerName === 'set-cookie') this.#remove(lowerName, 1);
    }
  }

  /** Removes all fields of a name but the first `kept`. */
  #remove(lowerName: string, kept: number): void {
    const stays = this.#names.map((name) => name !== lowerName || (kept -= 1) >= 0);
    this.#change(
      this.#names.filter((_, index) => stays[index]),
      this.#values.filter((_, index) => stays[index]),
    );
  }

  // The lists are never changed in place: an iteration at work knows by them that something has changed, and they may
  // belong to a set.
  #change(names: readonly string[], values: readonly string[]): void {
    this.#checkMutable();
    this.#names = names === this.#names ? [...names] : names;
    this.#values = values;
    this.#given = undefined;
  }

  #checkMutable(): void {
    // As the platform says it: frameworks look for the word.
    if (this.#isImmutable) throw new TypeError('immutable');
  }
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Throws as the platform does for what is no name. */
function lowerNameOf(name: unknown, given: IArguments): string {
  if (typeof name === 'string' && isToken(name)) return name.toLowerCase();
  new (platform().Headers)().has(...(given as unknown as [string]));
  return String(name).toLowerCase();
}

/** One field as the platform makes it of a name and a value, or its error. */
function platformField(given: IArguments): Headers {
  const headers = new (platform().Headers)();
  headers.append(...(given as unknown as [string, string]));
  return headers;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- a method under another name
const ENTRIES = HttpHeaders.prototype.entries;
Object.defineProperty(HttpHeaders.prototype, Symbol.iterator, {
  value: ENTRIES,
  writable: true,
  configurable: true,
});
standFor(HttpHeaders, 'Headers');

/** Headers as handlers are typed to take them: their prototype chain makes them such. */
export function asHeaders(headers: object): Headers {
  const seen: unknown = headers;
  return seen as Headers;
}
