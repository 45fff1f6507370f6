// What Web IDL says about every class of the platform, for those that stand in their places.

import { platform, whenLoaded, type PlatformClasses } from './platform.ts';

type Class = abstract new (...given: never[]) => object;

/**
 * Puts a class on top of the platform's: `instanceof`, name and length, and which members are seen by who lists them,
 * are the platform's. That is done when somebody first looks at what is behind the class, for until then nobody can tell,
 * and the platform's need not be loaded.
 */
export function standFor(ours: Class, name: keyof PlatformClasses): void {
  Object.defineProperty(ours, 'name', { value: name });
  listMembers(ours.prototype as object);
  Object.setPrototypeOf(
    ours,
    loadedWhenSeen(() => platform()[name]),
  );
  Object.setPrototypeOf(
    ours.prototype as object,
    loadedWhenSeen(() => platform()[name].prototype),
  );
  whenLoaded((classes) => putOnTop(ours, classes[name]));
}

/** What stands behind a class, or what it makes, until somebody looks there: `instanceof` does, and whom ours lack. */
function loadedWhenSeen(load: () => object): object {
  return new Proxy(
    {},
    {
      // Who awaits a value asks for `then`, which no class of the platform has.
      get: (_, key, receiver) => (key === 'then' ? undefined : (Reflect.get(load(), key, receiver) as unknown)),
      has: (_, key) => key in load(),
      getPrototypeOf: load,
    },
  );
}

function putOnTop(ours: Class, native: Class): void {
  Object.setPrototypeOf(ours, native);
  Object.setPrototypeOf(ours.prototype as object, native.prototype as object);
  Object.defineProperty(ours, 'length', { value: native.length });
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

/** As Web IDL has it. `for` has passed a class by the time that it looks behind it. */
function listMembers(ours: object): void {
  for (const [key, { configurable }] of Object.entries(Object.getOwnPropertyDescriptors(ours)))
    if (configurable === true && key !== 'constructor') Object.defineProperty(ours, key, { enumerable: true });
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
whenLoaded(({ Headers }) => {
  likeMembers(HeadersIterator.prototype, Object.getPrototypeOf(new Headers().entries()) as object);
});
Object.defineProperty(HeadersIterator.prototype, Symbol.toStringTag, { value: 'Headers Iterator', configurable: true });
