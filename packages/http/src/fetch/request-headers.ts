// The headers of a request as a handler sees them. Reading one field costs a scan of a few lines; a real `Headers` is
// made only for what needs one: iteration and changes.

import { findField, readFields } from '../semantics/fields.ts';
import { isToken } from '../semantics/char-classes.ts';

/** Satisfies `instanceof Headers`. */
export class RequestHeaders implements Headers {
  readonly #lines: string;
  #native: Headers | undefined;

  constructor(lines: string) {
    this.#lines = lines;
  }

  get(name: string): string | null {
    if (this.#native !== undefined) return this.#native.get(name);
    const value = findField(this.#lines, name.toLowerCase());
    // What was found is a name.
    if (value === null && !isToken(name)) throw new TypeError(`'${name}' is not a field name`);
    return value;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.#makeNative().append(name, value);
  }

  delete(name: string): void {
    this.#makeNative().delete(name);
  }

  set(name: string, value: string): void {
    this.#makeNative().set(name, value);
  }

  getSetCookie(): string[] {
    return this.#makeNative().getSetCookie();
  }

  forEach(visit: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this.#makeNative()) visit.call(thisArg, value, name, this);
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#makeNative().keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.#makeNative().values();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#makeNative().entries();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.#makeNative().entries();
  }

  #makeNative(): Headers {
    if (this.#native === undefined) {
      this.#native = new Headers();
      for (const [name, value] of readFields(this.#lines)) this.#native.append(name, value);
    }
    return this.#native;
  }
}

Object.setPrototypeOf(RequestHeaders.prototype, Headers.prototype);
