// Where serving begins: one call that is the same in a process that serves alone, in the primary and in its workers.

import { createStandalone } from './supervisor/standalone.ts';
import { type Service, type ServerOptions } from './options.ts';
import { resolveOptions, type ResolvedOptions } from './resolved-options.ts';
import { withAddress, type Server } from './server.ts';
import { createPrimary } from './supervisor/primary.ts';
import { createWorker } from './supervisor/worker.ts';
import { requireMayFork, workerPlace } from './supervisor/worker-place.ts';

/** Makes a server of one or several services. Nothing is bound before `listen`. */
export function createServer(services: Service | readonly Service[], options: ServerOptions = {}): Server {
  const resolved = resolveOptions(services, options);
  return withAddress(createForRole(resolved), resolved.services[0]?.protocol.urlScheme);
}

function createForRole(resolved: ResolvedOptions): Server {
  const place = workerPlace();
  // Said by the first of those that serve: at the start, and again when a reload has replaced it.
  if (place === undefined ? resolved.workers === 0 : place.slot === 1) warnOfCertificates(resolved);
  if (resolved.workers !== 0 && place !== undefined) return createWorker(resolved, place);
  if (resolved.workers === 0) return createStandalone(resolved);
  requireMayFork();
  const server = createPrimary(resolved);
  resolved.metrics?.watch(server);
  return server;
}

/** Clients refuse such a certificate, which the server itself could use. */
function warnOfCertificates({ services, clock, log }: Pick<ResolvedOptions, 'services' | 'clock' | 'log'>): void {
  for (const problem of services[0]?.tls?.validityProblems(clock.wallMs()) ?? [])
    log.warn({}, `${problem}: clients will refuse it`);
}

/** `createServer` and `listen` in one. */
export async function serve(
  protocol: Service['protocol'],
  options: ServerOptions & Pick<Service, 'listen'> = {},
): Promise<Server> {
  const { listen, ...rest } = options;
  const server = createServer(listen === undefined ? { protocol } : { protocol, listen }, rest);
  await server.listen();
  return server;
}
