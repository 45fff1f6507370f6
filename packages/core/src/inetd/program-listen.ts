// Where a server listens that runs programs: as any server, but for what no program could be given.

import { isEndpoint, type ListenTarget } from '../address/listen-target.ts';
import { WellknownError } from '../errors.ts';
import { resolveTarget } from '../resolved-listen.ts';

/** Reads `listen`. Throws ENDPOINT_INVALID, also where the scheme is none that a program could be run for. */
export function resolveProgramListen(
  listen: string | readonly string[],
  schemes: readonly ('tcp' | 'unix' | 'udp')[],
): readonly ListenTarget[] {
  return (typeof listen === 'string' ? [listen] : listen).map((text) => {
    const target = resolveTarget(text);
    // What was passed to this process is known only when it is adopted.
    if (!isEndpoint(target)) return target;
    if (target.scheme === 'tls')
      throw new WellknownError(
        'ENDPOINT_INVALID',
        `endpoint '${text}': a program gets the socket itself, without TLS`,
        {
          fault: 'local',
          hint: 'let the program speak TLS, or put something in front that does',
        },
      );
    if (!schemes.includes(target.scheme)) throw noDatagrams(`endpoint '${text}': `);
    return target;
  });
}

/** For a server that gives each connection to a program. */
export const noDatagrams = (where = ''): WellknownError =>
  new WellknownError('ENDPOINT_INVALID', `${where}a datagram has no connection that a program of its own could have`, {
    fault: 'local',
    hint: 'createWaitServer (exec --wait) gives the program the socket itself',
  });
