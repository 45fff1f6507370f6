// The platform's own classes, as they are before anything takes their place.

export const NativeResponse: typeof globalThis.Response = globalThis.Response;
export const NativeRequest: typeof globalThis.Request = globalThis.Request;
export const NativeHeaders: typeof globalThis.Headers = globalThis.Headers;
export const nativeFetch: typeof globalThis.fetch = globalThis.fetch;

/** Whether a value's prototypes lead to a class, whatever that class itself says of it. */
export const isInstance = (Class: abstract new (...given: never[]) => unknown, value: unknown): boolean =>
  Function.prototype[Symbol.hasInstance].call(Class, value);
