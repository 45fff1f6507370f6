/** Calls `cancel` once with the signal's reason when it aborts, unless the returned function is called before. */
export function onAbort(signal: AbortSignal | undefined, cancel: (reason: Error) => void): () => void {
  if (signal === undefined) return () => undefined;
  const listener = (): void => cancel(abortReason(signal));
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** What an aborted wait rejects with: the reason that was given, made an Error where it was none. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** `promise`, or a rejection as soon as `signal` aborts; `late` then gets what comes nevertheless, to take it back. */
export function abortable<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  late: (value: Value) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let aborted = false;
    const forget = onAbort(signal, (reason) => {
      aborted = true;
      reject(reason);
    });
    promise.then(
      (value) => {
        forget();
        if (aborted) late(value);
        else resolve(value);
      },
      (error: unknown) => {
        forget();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
