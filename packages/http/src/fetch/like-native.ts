// What Web IDL says about every class of the platform, for those that stand in their places.

import { NativeHeaders } from './platform.ts';

type Class = abstract new (...given: never[]) => object;

/**
 * Puts a class on top of the platform's: `instanceof`, name and length, and which members are seen by who lists them,
 * are the platform's from here on.
 */
export function standFor(ours: Class, native: Class): void {
  Object.setPrototypeOf(ours, native);
  Object.setPrototypeOf(ours.prototype as object, native.prototype as object);
  for (const key of ['name', 'length'] as const) Object.defineProperty(ours, key, { value: native[key as 'name'] });
  likeMembers(ours, native);
  likeMembers(ours.prototype as object, native.prototype as object);
}

function likeMembers(ours: object, native: object): void {
  for (const key of Object.getOwnPropertyNames(native)) {
    const theirs = Object.getOwnPropertyDescriptor(native, key);
    const own = Object.getOwnPropertyDescriptor(ours, key);
    if (key === 'prototype' || key === 'constructor' || theirs === undefined || own?.configurable !== true) continue;
    Object.defineProperty(ours, key, { ...own, enumerable: theirs.enumerable ?? false });
    const [method, nativeMethod] = [own.value, theirs.value] as readonly unknown[];
    if (typeof method === 'function' && typeof nativeMethod === 'function')
      Object.defineProperty(method, 'length', { value: nativeMethod.length, configurable: true });
  }
}

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/** Goes over headers as they are when each field is asked for: changes on the way are seen. */
export class HeadersIterator<Item> {
  readonly #fieldAt: (index: number) => Item | undefined;
  #index = 0;

  constructor(fieldAt: (index: number) => Item | undefined) {
    this.#fieldAt = fieldAt;
  }

  next(): IteratorResult<Item, undefined> {
    const value = this.#fieldAt(this.#index);
    this.#index += 1;
    return value === undefined ? { value: undefined, done: true } : { value, done: false };
  }
}
Object.setPrototypeOf(HeadersIterator.prototype, IteratorPrototype);
likeMembers(HeadersIterator.prototype, Object.getPrototypeOf(new NativeHeaders().entries()) as object);
Object.defineProperty(HeadersIterator.prototype, Symbol.toStringTag, { value: 'Headers Iterator', configurable: true });
