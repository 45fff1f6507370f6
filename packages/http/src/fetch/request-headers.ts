// The headers of a request as a handler sees them. Reading one field costs a scan of a few lines; lists of
// them are made only for what needs them: iteration and changes.

import { findField, readFields } from '../semantics/fields.ts';
import { isToken } from '../semantics/char-classes.ts';
import { HttpHeaders } from './headers.ts';
import { INSPECT, type Inspect } from './inspect.ts';
import { standFor } from './like-native.ts';

// An argument that is missing throws, as on the platform; one that is undefined is a text. Hence all as they came.
type Name = [name: string];
type Field = [name: string, value: string];

/** Satisfies `instanceof Headers`. */
export class RequestHeaders implements Headers {
  readonly #lines: string;
  #lists: HttpHeaders | undefined;
  // One function under two names, as on the platform: set below.
  declare readonly [Symbol.iterator]: Headers['entries'];

  constructor(lines: string) {
    this.#lines = lines;
  }

  get(...given: Name): string | null {
    const [name] = given;
    if (this.#lists !== undefined || typeof name !== 'string') return this.#makeLists().get(...given);
    const value = findField(this.#lines, name.toLowerCase());
    // What was found is a name.
    if (value === null && !isToken(name)) throw new TypeError(`'${name}' is not a field name`);
    return value;
  }

  has(...name: Name): boolean {
    return this.get(...name) !== null;
  }

  append(...field: Field): void {
    this.#makeLists().append(...field);
  }

  delete(...name: Name): void {
    this.#makeLists().delete(...name);
  }

  set(...field: Field): void {
    this.#makeLists().set(...field);
  }

  getSetCookie(): string[] {
    return this.#makeLists().getSetCookie();
  }

  forEach(visit: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    if (typeof visit !== 'function') throw new TypeError('the argument of forEach is not a function');
    for (const [name, value] of this.#makeLists()) visit.call(thisArg, value, name, this);
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#makeLists().keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.#makeLists().values();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#makeLists().entries();
  }

  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    return inspect(this.#makeLists(), options);
  }

  #makeLists(): HttpHeaders {
    this.#lists ??= new HttpHeaders(readFields(this.#lines) as [string, string][]);
    return this.#lists;
  }
}

Object.defineProperty(RequestHeaders.prototype, Symbol.iterator, {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- a method under another name
  value: RequestHeaders.prototype.entries,
  writable: true,
  configurable: true,
});
standFor(RequestHeaders, 'Headers');
