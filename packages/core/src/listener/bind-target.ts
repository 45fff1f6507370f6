// From what `listen` names to bound sockets: an endpoint may mean several, and so may a name of systemd's.

import { endpointsToBind } from '../address/endpoints-to-bind.ts';
import { isEndpoint, type ListenTarget } from '../address/listen-target.ts';
import { bindListener, type BindOptions, type BoundListener } from './listener.ts';
import { descriptorsOf, endpointOfDescriptor } from './inherited-descriptors.ts';

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
  for (const descriptor of descriptorsOf(target)) {
    const listener = await bindListener(endpointOfDescriptor(descriptor), { descriptor });
    yield { ...listener, close: () => listener.close({ keepPath: true }) };
  }
}
