// `pnpm bench [NAME] [ROUNDS] [SUBJECTS]`: the comparison of that name, or all whose names begin with it and a hyphen
// (`http`), or all of them; with SUBJECTS, a regular expression, only those servers beside the reference where handlers
// are compared. Build first: servers run from dist.

import { compareLoss } from './connection-loss.ts';
import { compareStall } from './connection-stall.ts';
import { compareBulk, compareConnections, compareIdle } from './connections.ts';
import { compareEcho } from './echo-datagrams.ts';
import { ftpComparisons } from './ftp.ts';
import { fileComparisons } from './http-files.ts';
import { handlerComparisons } from './http-handlers.ts';
import { tlsComparisons } from './http-tls.ts';
import { compareHttpIdle } from './http-idle.ts';
import { compareStartup } from './startup.ts';
import { comparePtyOutput } from './telnet-pty.ts';
import { measureUp } from './up.ts';
import { measureTelnetIdle, measureTelnetKeystrokes, measureTelnetParser } from './telnet.ts';

const COMPARISONS: Readonly<Record<string, (rounds: number, only: RegExp) => Promise<void>>> = {
  ...handlerComparisons,
  ...fileComparisons,
  ...tlsComparisons,
  'http-idle': compareHttpIdle,
  connections: compareConnections,
  'bulk-echo': compareBulk,
  'idle-memory': compareIdle,
  'connection-loss': compareLoss,
  'connection-stall': compareStall,
  'echo-datagrams': compareEcho,
  startup: compareStartup,
  ...ftpComparisons,
  up: measureUp,
  'telnet-pty': comparePtyOutput,
  'telnet-parser': measureTelnetParser,
  'telnet-keystrokes': measureTelnetKeystrokes,
  'telnet-idle': measureTelnetIdle,
};

const [name = '', rounds = '5', only = ''] = process.argv.slice(2);
const chosen = Object.entries(COMPARISONS).filter(
  ([key]) => key === name || name === '' || (!Object.hasOwn(COMPARISONS, name) && key.startsWith(`${name}-`)),
);
if (chosen.length === 0) {
  console.error(`unknown comparison '${name}', allowed are ${Object.keys(COMPARISONS).join(', ')}`);
  process.exitCode = 2;
}
for (const [, run] of chosen) await run(Number(rounds), new RegExp(only));
