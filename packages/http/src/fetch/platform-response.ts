// What a platform Response was made of, where the running Node lets it be seen. Reading its stream costs several times
// what the rest of a small answer costs. Node keeps text and bytes beside the stream, under a symbol up to version 22;
// where they are not to be found, the stream is read. All undocumented access of this package is in this file.

interface ResponseState {
  readonly body?: { readonly source?: unknown } | null;
}

/** The symbol under which this Node's responses keep their state. */
const STATE = Object.getOwnPropertySymbols(new Response('x')).find((symbol) => symbol.description === 'state');

/**
 * The text or bytes that a Response, of which nothing has been read, was made of; undefined when that can't be told.
 */
export function sourceOf(response: Response): string | Uint8Array | undefined {
  if (STATE === undefined) return undefined;
  const state = (response as unknown as Readonly<Record<symbol, ResponseState | undefined>>)[STATE];
  const source = state?.body?.source;
  return typeof source === 'string' || source instanceof Uint8Array ? source : undefined;
}
