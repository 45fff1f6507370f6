/** An expected failure is a value: the error says what to tell the user who gave the input. */
export type Result<Value, Problem> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: Problem };

export const ok = <Value>(value: Value): Result<Value, never> => ({ ok: true, value });
export const fail = <Problem>(error: Problem): Result<never, Problem> => ({ ok: false, error });
