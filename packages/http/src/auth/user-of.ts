// Who has logged in, for the access log.

const users = new WeakMap<object, string>();

/** The request is this user's. */
export const setUser = (request: object, name: string): void => void users.set(request, name);

/** The user whose request it is; undefined where nobody was asked. */
export const userOf = (request: object): string | undefined => users.get(request);
