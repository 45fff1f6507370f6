// The headers of a request as a handler sees them. Reading one field costs a scan of a few lines; lists of
// them are made only for what needs them: iteration and changes.

import { findField, readFields } from '../semantics/fields.ts';
import { isToken } from '../semantics/char-classes.ts';
import { HttpHeaders } from './headers.ts';
import { INSPECT, type Inspect } from './inspect.ts';
import { NativeHeaders } from './platform.ts';

/** Satisfies `instanceof Headers`. */
export class RequestHeaders implements Headers {
  readonly #lines: string;
  #lists: HttpHeaders | undefined;

  constructor(lines: string) {
    this.#lines = lines;
  }

  get(name: string): string | null {
    if (this.#lists !== undefined || typeof name !== 'string') return this.#makeLists().get(name);
    const value = findField(this.#lines, name.toLowerCase());
    // What was found is a name.
    if (value === null && !isToken(name)) throw new TypeError(`'${name}' is not a field name`);
    return value;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.#makeLists().append(name, value);
  }

  delete(name: string): void {
    this.#makeLists().delete(name);
  }

  set(name: string, value: string): void {
    this.#makeLists().set(name, value);
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

  [Symbol.iterator](): ReturnType<Headers['entries']> {
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

Object.setPrototypeOf(RequestHeaders.prototype, NativeHeaders.prototype);
Object.defineProperty(RequestHeaders, 'name', { value: 'Headers' });
