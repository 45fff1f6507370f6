// What a handler gives or throws may be anything: an object with getters, a proxy, a stream with a `cancel` of its own.
// Any touch of it can throw.

/** As an error for the log. Never throws. */
export function asError(error: unknown): Error {
  try {
    return error instanceof Error ? error : new Error(String(error));
  } catch {
    return new Error('something was thrown that has no text');
  }
}

/** Cancels a stream, or its reader, without waiting for it: what a handler does about that may never be over. */
export function cancelStream(stream: { cancel(reason?: unknown): unknown }, reason?: unknown): void {
  try {
    Promise.resolve(stream.cancel(reason)).catch(() => undefined);
  } catch {
    // There is nobody left who waits for the content.
  }
}

/**
 * Why a chunk of a stream can't be sent. Text is refused as it is by the fetch standard ("read all bytes"), so that a
 * handler that runs here runs everywhere.
 */
export const problemOfChunk = (chunk: unknown): string =>
  typeof chunk === 'string'
    ? 'the stream of a response gave text, not bytes: pipe it through new TextEncoderStream()'
    : 'the stream of a response gave something else than bytes';
