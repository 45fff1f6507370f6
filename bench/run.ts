// `pnpm bench [NAME] [ROUNDS]`: the comparisons by name, or all of them. Build first: servers run from dist.

import { compareLoss } from './connection-loss.ts';
import { compareBulk, compareConnections, compareIdle } from './connections.ts';
import { compareEcho } from './echo-datagrams.ts';
import { compareFiles } from './http-files.ts';
import { compareEcho as compareHttpEcho, compareHello } from './http-hello.ts';
import { compareHttpIdle } from './http-idle.ts';
import { comparePtyOutput } from './telnet-pty.ts';
import { measureTelnetIdle, measureTelnetKeystrokes, measureTelnetParser } from './telnet.ts';

const COMPARISONS: Readonly<Record<string, (rounds: number) => Promise<void>>> = {
  'http-hello': compareHello,
  'http-echo': compareHttpEcho,
  'http-files': compareFiles,
  'http-idle': compareHttpIdle,
  connections: compareConnections,
  'bulk-echo': compareBulk,
  'idle-memory': compareIdle,
  'connection-loss': compareLoss,
  'echo-datagrams': compareEcho,
  'telnet-pty': comparePtyOutput,
  'telnet-parser': measureTelnetParser,
  'telnet-keystrokes': measureTelnetKeystrokes,
  'telnet-idle': measureTelnetIdle,
};

const [name, rounds = '5'] = process.argv.slice(2);
if (name !== undefined && !Object.hasOwn(COMPARISONS, name)) {
  console.error(`unknown comparison '${name}', allowed are ${Object.keys(COMPARISONS).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const [key, run] of Object.entries(COMPARISONS))
    if (name === undefined || name === key) await run(Number(rounds));
}
