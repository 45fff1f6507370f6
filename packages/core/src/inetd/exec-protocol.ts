// A process for each connection, as one service among others: in every worker, behind the sockets that the primary owns.
// A server that does nothing else is `createExecServer`.

import { nextConnectionId } from '../accept/connection-id.ts';
import { givenAway } from '../accept/other-members.ts';
import { limitKey } from '../address/address.ts';
import { requireKnownNames } from '../option-names.ts';
import { DEFAULT_SERVER_LIMITS } from '../options.ts';
import type { Protocol } from '../protocol.ts';
import { PROGRAM_OPTIONS, ProgramPath, type ProgramToRun } from './child-program.ts';
import { ProgramConnection } from './program-connection.ts';

/** Throws OPTION_INVALID where the program is not there. It runs as the process that has accepted. */
export async function execProtocol(options: Omit<ProgramToRun, 'runAs'>): Promise<Protocol> {
  requireKnownNames(
    'option',
    options,
    Object.keys(PROGRAM_OPTIONS).filter((name) => name !== 'runAs'),
  );
  const program = new ProgramPath(options.program);
  await program.find();
  const protocol: Protocol = {
    name: 'exec',
    // It has no well-known port: where it listens is said.
    port: 0,
    connection: () => undefined,
  };
  return givenAway(protocol, ({ log, clock, openOf }) => ({
    // Whether packets are delayed is for the program to say.
    sockets: { unread: true, noDelay: false, keepAliveMs: DEFAULT_SERVER_LIMITS.keepAliveMs },
    // Each is a process, and the limit on those holds also at the end.
    drainAdmitsWaiting: false,
    create: (socket, traits, closed) =>
      new ProgramConnection(nextConnectionId(), socket, traits, clock, (connection) =>
        closed(connection, traits.tally),
      ),
    serve(member) {
      if (member instanceof ProgramConnection) member.run(program.path, options, openOf(limitKey(member.remote)), log);
    },
    refuse: (member, _traits, reason) => member.destroy(reason),
  }));
}
