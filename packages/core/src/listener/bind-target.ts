// From what `listen` names to bound sockets: an endpoint may mean several, and so may a name of systemd's.

import { endpointsToBind } from '../address/endpoints-to-bind.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { isEndpoint, type ListenTarget } from '../address/listen-target.ts';
import { bindListener, type BindOptions, type BoundListener } from './listener.ts';
import { codeOf, WellknownError } from '../errors.ts';
import { descriptorsOf, endpointOfDescriptor, unusable } from './inherited-descriptors.ts';

/**
 * Binds or adopts what a target means, one after the other: each is the caller's, to close too, as soon as it is given
 * out, also when the next one fails. The unix path of a socket that was passed to this process stays its owner's;
 * `keepPath` is asked at the close whether another one stays.
 */
export async function* bindTarget(
  target: ListenTarget,
  { keepPath, ...options }: Pick<BindOptions, 'unixMode' | 'replacePath'> & { readonly keepPath?: () => boolean },
): AsyncGenerator<BoundListener> {
  if (isEndpoint(target)) {
    for (const endpoint of await endpointsToBind(target)) {
      const listener = await bindListener(endpoint, options);
      yield keepPath === undefined ? listener : { ...listener, close: () => listener.close({ keepPath: keepPath() }) };
    }
    return;
  }
  for (const descriptor of descriptorsOf(target)) yield await adoptDescriptor(target, descriptor);
}

/** Takes over a socket that was passed to this process; the path of a unix socket stays its owner's. */
export async function adoptDescriptor(
  target: Exclude<ListenTarget, Endpoint>,
  descriptor: number,
): Promise<BoundListener> {
  const endpoint = endpointOfDescriptor(target, descriptor);
  const listener = await bindListener(endpoint, { descriptor }).catch((error: unknown) => {
    // Of a kind that Node knows nothing of, or a UDP socket without a port, which stands in no table of the kernel's.
    if (error instanceof WellknownError && codeOf(error.cause) === 'EINVAL')
      throw unusable(target, descriptor, 'is no stream socket, and no UDP socket that is bound');
    throw error;
  });
  if ('port' in listener.endpoint && listener.endpoint.port === 0) {
    await listener.close();
    throw unusable(target, descriptor, 'is bound to no address');
  }
  return { ...listener, close: () => listener.close({ keepPath: true }) };
}
