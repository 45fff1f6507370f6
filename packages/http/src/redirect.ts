import { asOfPackage, type FetchHandler } from './handler.ts';
import { isAuthority } from './semantics/authority.ts';
import { responseOf } from './fetch/response.ts';

/**
 * Sends every request to the same place over HTTPS. For the listener in clear beside one with TLS. A request without a
 * valid host has no such place and gets 400. 308 keeps the method and the content.
 */
export function redirectToHttps(httpsPort = 443): FetchHandler {
  return asOfPackage((request, { client, rawTarget }) => {
    const host = client.host.replace(/:[0-9]*$/, '');
    if (host === '' || !isAuthority(host)) return responseOf('There is no host to go to.\n', { status: 400 });
    const { pathname, search } = new URL(request.url);
    const path = rawTarget.startsWith('/') ? rawTarget : pathname + search;
    const location = `https://${host}${httpsPort === 443 ? '' : `:${httpsPort}`}${path}`;
    return responseOf(null, { status: 308, headers: { Location: location } });
  });
}
