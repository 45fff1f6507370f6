// The platform's names, for handlers that use them, in front of this package's classes. A `Response` of Node costs about as
// much as the rest of a small exchange.
//
// What libraries ask of the platform's names holds: `instanceof` is true for Node's objects and ours under either name,
// classes that extend Node's keep working, and `constructor` of what Node makes is what stands there now.

import { HttpHeaders } from './headers.ts';
import { nativeFetch, NativeHeaders, NativeRequest, NativeResponse } from './platform.ts';
import { forPlatform } from './request.ts';
import { HttpResponse } from './response.ts';

type RequestInput = ConstructorParameters<typeof NativeRequest>[0];

/** Node's Request, that also takes one of ours. What it makes, its prototype included, is Node's own. */
const PlatformRequest = function Request(input: RequestInput, init?: RequestInit) {
  const target = new.target as unknown as typeof NativeRequest | undefined;
  if (target === undefined) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
  return Reflect.construct<[RequestInput, RequestInit | undefined], Request>(
    NativeRequest,
    [forPlatform(input, init), init],
    target,
  );
} as unknown as typeof NativeRequest;
Object.defineProperty(PlatformRequest, 'prototype', { value: NativeRequest.prototype, writable: false });
Object.defineProperty(PlatformRequest, 'length', { value: NativeRequest.length });

const fetchAnything: typeof nativeFetch = function fetch(input, init) {
  return nativeFetch(forPlatform(input, init), init);
};

const NAMES = [
  ['Response', NativeResponse, HttpResponse],
  ['Headers', NativeHeaders, HttpHeaders],
  ['Request', NativeRequest, PlatformRequest],
  ['fetch', nativeFetch, fetchAnything],
] as const;

/**
 * From here on `new Response` and `new Headers` make ours in all of the process, and `new Request` and `fetch` take the
 * requests that handlers get. Whoever has put something else there means it, and keeps it.
 */
export function replaceGlobals(): void {
  for (const [name, native, ours] of NAMES) put(name, native, ours);
}

/** Gives the names back to the platform's. */
export function putBackGlobals(): void {
  for (const [name, native, ours] of NAMES) put(name, ours, native);
}

function put(name: (typeof NAMES)[number][0], expected: unknown, value: object): void {
  if (Reflect.get(globalThis, name) !== expected) return;
  const { enumerable = false } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable });
  const made = { Response: NativeResponse, Headers: NativeHeaders, Request: NativeRequest, fetch: undefined }[name];
  if (made !== undefined)
    Object.defineProperty(made.prototype, 'constructor', { value, writable: true, configurable: true });
}
