let last = 0;

/** A number that no other connection of this process has. */
export const nextConnectionId = (): number => (last += 1);
