// What the behaviour suites do alike: a server that runs for one case, and the cases that are the same for streams and
// datagrams.

import assert from 'node:assert/strict';
import { WellknownError } from '../errors.ts';
import { silentLog } from '../log.ts';
import type { ServerOptions } from '../options.ts';
import type { Server } from '../server.ts';

export interface ServerSubject {
  readonly name: string;
  /** A fresh server, not yet listening, with these options passed on to core. */
  create(options: ServerOptions & { readonly listen: string }): Server;
}

/**
 * Starts a server of the subject's, gives out its first endpoint and all of them, and ends it at once whatever happens.
 */
export async function withServer(
  subject: ServerSubject,
  options: ServerOptions & { readonly listen: string },
  run: (url: string, server: Server, urls: readonly string[]) => Promise<void>,
): Promise<void> {
  const server = subject.create({ log: silentLog, ...options });
  const bound = await server.listen();
  try {
    await run(
      bound[0]?.url ?? '',
      server,
      bound.map(({ url }) => url),
    );
  } finally {
    await server.close({ graceMs: 0 });
  }
}

/** A second server on an address in use says which, why, and what to do. */
export async function refusesAddressInUse(subject: ServerSubject, url: string): Promise<void> {
  await assert.rejects(subject.create({ log: silentLog, listen: url }).listen(), (error) => {
    assert.ok(error instanceof WellknownError);
    assert.equal(error.code, 'ADDRESS_IN_USE');
    assert.ok(error.message.includes(url) && error.message.includes('another port'));
    return true;
  });
}
