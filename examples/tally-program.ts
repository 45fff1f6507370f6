// `node tally-program.ts --listen tcp://127.0.0.1:8096 --workers 2`: every option, signal and exit status that
// `wellknown` has.
import { ok } from '@wellknown/core';
import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';
import { tally } from './tally.ts';

await runCommand(
  {
    name: 'tally',
    summary: 'Keeps a total for each connection.',
    options: [],
    defaultScheme: 'tcp',
    schemes: ['tcp', 'tls', 'unix'],
    build: () => Promise.resolve(ok(tally)),
  },
  pino,
);
