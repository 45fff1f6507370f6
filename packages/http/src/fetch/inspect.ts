// How `console.log` and `util.inspect` ask an object for its text. What the platform's classes inherit to ours would read
// slots that ours don't have.

export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Prints a value with the options at hand. */
export type Inspect = (value: unknown, options: object) => string;
