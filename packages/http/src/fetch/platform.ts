// The platform's own classes. Node loads them when one of their names is first used, which takes as long as a bare Node
// and megabytes of each process (`pnpm bench startup`): nothing here asks for them before there is need.

export interface PlatformClasses {
  readonly Response: typeof globalThis.Response;
  readonly Request: typeof globalThis.Request;
  readonly Headers: typeof globalThis.Headers;
}

let loaded: PlatformClasses | undefined;
const waiting: ((classes: PlatformClasses) => void)[] = [];

/** As they are when this is called first: before `replaceGlobals` of this package has put others in their place. */
export const platform = (): PlatformClasses => loaded ?? load();

/** Calls once with the classes when this package first asks for them. */
export function whenLoaded(listener: (classes: PlatformClasses) => void): void {
  if (loaded === undefined) waiting.push(listener);
  else listener(loaded);
}

function load(): PlatformClasses {
  const { Response, Request, Headers } = globalThis;
  loaded = { Response, Request, Headers };
  for (const listener of waiting.splice(0)) listener(loaded);
  return loaded;
}

/** Whether a value's prototypes lead to a class, whatever that class itself says of it. */
export const isInstance = (Class: abstract new (...given: never[]) => unknown, value: unknown): boolean =>
  Function.prototype[Symbol.hasInstance].call(Class, value);

// Who embeds the package may put other classes in their places at any time after its import. In a program of ours nobody
// has been before this package asks: `holdSignals` of core has said so.
if (Reflect.get(globalThis, Symbol.for('@wellknown/program')) !== true) load();
