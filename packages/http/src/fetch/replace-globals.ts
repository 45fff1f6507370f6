// The platform's names, for handlers that use them, in front of this package's classes. A `Response` of Node costs about as
// much as the rest of a small exchange.
//
// What libraries ask of the platform's names holds: `instanceof` is true for Node's objects and ours under either name,
// classes that extend Node's keep working, and `constructor` of what Node makes is what stands there now.

import { HttpHeaders } from './headers.ts';
import { platform, type PlatformClasses } from './platform.ts';
import { forPlatform } from './request.ts';
import { HttpResponse } from './response.ts';

type RequestInput = ConstructorParameters<typeof Request>[0];
type Replacement = readonly [name: keyof PlatformClasses | 'fetch', native: object, ours: object];

/** Node's Request, that also takes one of ours. What it makes, its prototype included, is Node's own. */
function wrapRequest(NativeRequest: typeof Request): typeof Request {
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
  return PlatformRequest;
}

function replacements(): readonly Replacement[] {
  const native = platform();
  const nativeFetch = globalThis.fetch;
  const fetchAnything: typeof nativeFetch = function fetch(input, init) {
    return nativeFetch(forPlatform(input, init), init);
  };
  return [
    ['Response', native.Response, HttpResponse],
    ['Headers', native.Headers, HttpHeaders],
    ['Request', native.Request, wrapRequest(native.Request)],
    ['fetch', nativeFetch, fetchAnything],
  ];
}

/** Made once, so that what was put in a place is known there. */
let made: readonly Replacement[] | undefined;

/**
 * From here on `new Response` and `new Headers` make ours in all of the process, and `new Request` and `fetch` take the
 * requests that handlers get. Whoever has put something else there means it, and keeps it.
 */
export function replaceGlobals(): void {
  made ??= replacements();
  for (const [name, native, ours] of made) put(name, native, ours);
}

/** Gives the names back to the platform's. */
export function putBackGlobals(): void {
  for (const [name, native, ours] of made ?? []) put(name, ours, native);
}

function put(name: Replacement[0], expected: object, value: object): void {
  if (Reflect.get(globalThis, name) !== expected) return;
  const { enumerable = false } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable });
  if (name !== 'fetch')
    Object.defineProperty(platform()[name].prototype, 'constructor', { value, writable: true, configurable: true });
}
