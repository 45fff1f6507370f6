// Who may ask the admin listener for what. Pure.
//
// Without a token it is for this machine alone, and only to be read: then the name in Host must be one of this machine,
// or a page of another site could read it through a name that it points here (DNS rebinding). With a token whoever has
// it may read and act; a browser sends it only for our own page, since it stands in a header that no other site's page
// can set.

import { createHash, timingSafeEqual } from 'node:crypto';

export type Need = 'nothing' | 'read' | 'act';

interface Route {
  readonly method: 'GET' | 'POST';
  readonly needs: Need;
}

/** The page itself holds nothing: what it shows it asks for. Probes have no token. */
export const ROUTES = {
  '/': { method: 'GET', needs: 'nothing' },
  '/admin.css': { method: 'GET', needs: 'nothing' },
  '/admin.js': { method: 'GET', needs: 'nothing' },
  '/healthz': { method: 'GET', needs: 'nothing' },
  '/readyz': { method: 'GET', needs: 'nothing' },
  '/metrics': { method: 'GET', needs: 'read' },
  '/status.json': { method: 'GET', needs: 'read' },
  '/connections': { method: 'GET', needs: 'read' },
  '/events': { method: 'GET', needs: 'read' },
  '/reload': { method: 'POST', needs: 'act' },
  '/drain': { method: 'POST', needs: 'act' },
} as const satisfies Record<string, Route>;
export type AdminPath = keyof typeof ROUTES;

/** What of a request matters here, as it came. */
export interface AdminRequest {
  readonly method: string;
  /** Of the request target, without its query. */
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
}

export type Verdict =
  | { readonly at: 'allowed'; readonly path: AdminPath }
  | { readonly at: 'refused'; readonly status: 401 | 403 | 404 | 405 | 421; readonly why: string };

const refused = (status: 401 | 403 | 404 | 405 | 421, why: string): Verdict => ({ at: 'refused', status, why });

export function judge(request: AdminRequest, token: string | undefined): Verdict {
  const { path, method, host, origin, fetchSite, authorization } = request;
  if (!isAdminPath(path)) return refused(404, `there is only ${Object.keys(ROUTES).join(', ')}`);
  const route: Route = ROUTES[path];
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET'))
    return refused(405, `${path} takes ${route.method}`);
  if (route.needs === 'nothing') return { at: 'allowed', path };
  if (token === undefined) {
    if (route.needs === 'act')
      return refused(403, 'without a token it is only to be read: start it with --admin-token-file');
    return isThisMachine(host)
      ? { at: 'allowed', path }
      : refused(421, 'without a token it answers to names of this machine only: localhost, 127.0.0.1 or [::1]');
  }
  if (route.needs === 'act' && !isOwnPage(origin, fetchSite, host))
    return refused(403, "the page of another site may not press this server's buttons");
  return hasToken(authorization, token)
    ? { at: 'allowed', path }
    : refused(401, 'the token is wrong or missing: Authorization: Bearer TOKEN');
}

const isAdminPath = (path: string): path is AdminPath => Object.hasOwn(ROUTES, path);

/** The name of this machine that Host gives, with any port; none is given over a unix socket. */
const isThisMachine = (host: string | undefined): boolean =>
  host === undefined || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])?(?::\d{1,5})?$/i.test(host);

/** Programs send no Origin; a browser does, and says of which site the page is. */
function isOwnPage(origin: string | undefined, fetchSite: string | undefined, host: string | undefined): boolean {
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return false;
  return origin === undefined || origin === `http://${host ?? ''}` || origin === `https://${host ?? ''}`;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // The time that comparing takes tells nothing of the token.
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}
