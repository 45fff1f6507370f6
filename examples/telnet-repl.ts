// A REPL inside a running program: `node telnet-repl.ts tcp://127.0.0.1:5001`, then telnet. node:repl runs unchanged: its
// history, its completion and its colours are those of a terminal. Who gets here may do whatever this program may, so
// it listens where its own user alone can come, and never on a network.
import { start } from 'node:repl';
import { createTelnetServer, type TelnetHandler } from '@wellknown/telnet';

/** What the program wants looked at. */
const state = { requests: 0, startedAt: new Date() };

export const handler: TelnetHandler = async (session) => {
  await session.ready;
  await session.setMode('character');
  const repl = start({ prompt: 'app> ', input: session.stdin, output: session.stdout, useGlobal: false });
  Object.assign(repl.context, { state, session });
  await new Promise((resolve) => repl.once('exit', resolve));
};

if (process.argv[2] !== undefined) await createTelnetServer(handler, { listen: process.argv[2] }).listen();
