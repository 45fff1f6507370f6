/**
 * A resolver for sockets that are only given literal addresses. Without it every send would ask the system's resolver
 * about a literal, and wait a tick for it.
 */
export const literalLookup = (
  address: string,
  family: number | object,
  done: (error: Error | null, address: string, family: number) => void,
): void => done(null, address, typeof family === 'number' && family !== 0 ? family : address.includes(':') ? 6 : 4);
