// What `write` returns when it can't resolve at once: a promise that knows whether its outcome is awaited. A handler
// that forgets the await would end the process by an unhandled rejection, and any peer can make a write fail.

type Settle = (resolve: (value: undefined) => void, reject: (error: Error) => void) => void;

/**
 * Rejects as any promise does for a caller that awaits it. When nothing awaits it, the rejection is handled, and
 * `dropped` is called with it.
 */
export class WritePromise extends Promise<undefined> {
  #isAwaited = false;

  /** What is derived from it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static create(settle: Settle, dropped: (error: unknown) => void): WritePromise {
    const promise = new WritePromise(settle);
    void super.prototype.then.call(promise, undefined, (error: unknown) => {
      // `await` of a promise of another class asks for its outcome one microtask later.
      queueMicrotask(() => {
        if (!promise.#isAwaited) dropped(error);
      });
    });
    return promise;
  }

  // `await` calls it, since this is a class of its own.
  override then<Resolved = undefined, Rejected = never>(
    onResolved?: ((value: undefined) => Resolved | PromiseLike<Resolved>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Resolved | Rejected> {
    this.#isAwaited = true;
    return super.then(onResolved, onRejected);
  }
}
