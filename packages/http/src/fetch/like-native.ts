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
  addTextStream(ours.prototype as object, native.prototype as object);
  likeMembers(ours, native);
  likeMembers(ours.prototype as object, native.prototype as object);
}

/** From Node 26 on: the content as text while it comes (Fetch, §5.2). Throws a TypeError where it has been read. */
export function textStreamOf({ body, bodyUsed }: Pick<Response, 'body' | 'bodyUsed'>): ReadableStream<string> {
  if (bodyUsed || body?.locked === true) throw new TypeError('the content has been read already');
  const bytes: NonNullable<typeof body> = body ?? new ReadableStream({ start: (controller) => controller.close() });
  return bytes.pipeThrough(new TextDecoderStream());
}

/** Older platforms have no such member, and neither has what stands for them. */
function addTextStream(ours: object, native: object): void {
  if (!('textStream' in native)) return;
  const member = {
    textStream(this: Response) {
      return textStreamOf(this);
    },
  };
  Object.defineProperties(ours, Object.getOwnPropertyDescriptors(member));
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
