// One service of several: what its own options come to, beside those of the whole program.

import type { Service, ServerOptions } from '../options.ts';
import type { Protocol } from '../protocol.ts';
import { fail, ok, type Result } from '../result.ts';
import type { CommonValues } from './common-values.ts';
import { limitsOf } from './limits-of.ts';
import { loadTlsContext } from './tls-files.ts';

/** The service, with certificates as they are on disk now. The problem names an option. */
export function serviceOf(
  protocol: Protocol,
  common: CommonValues,
  listen: readonly string[],
  { limits, datagramLimits }: ServerOptions = {},
): Result<Service, string> {
  const tls = common.tls === undefined ? ok(undefined) : loadTlsContext(common.tls, common.tlsClients);
  if (!tls.ok) return fail(tls.error);
  return ok({
    protocol,
    listen,
    limits: { ...limits, ...limitsOf(common) },
    ...(datagramLimits === undefined ? {} : { datagramLimits }),
    ...(tls.value === undefined ? {} : { tls: tls.value }),
    allow: common.allow,
    deny: common.deny,
    proxyProtocol: common.proxyProtocol,
  });
}
