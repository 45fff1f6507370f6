// Whatever a client sends, to a whole session: it is answered in whole replies, nothing throws, and nothing is logged as an
// error, which is what a throwing file system or a hole in a decision would be.

import fc from 'fast-check';
import { silentLog } from '@wellknown/core';
import { cutAt, serveInMemory } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { COMMANDS } from '../src/commands/table.ts';
import { ftpProtocol } from '../src/protocol.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { CLIENT, turn } from './memory-session.ts';

const REPLIES = /^(?:\d{3} [^\r\n]*\r\n|(\d{3})-[^\r\n]*\r\n(?: [^\r\n]*\r\n)*\1 [^\r\n]*\r\n)*$/;

const name = fc.constantFrom(
  '/',
  '.',
  '..',
  'a.txt',
  'dir',
  'dir/b',
  '/dir/../a.txt',
  'l',
  'none',
  '*',
  '[',
  'a b',
  '-la',
  '\xff',
);
const argument = fc.oneof(
  { weight: 4, arbitrary: name },
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '99999999999999999999',
    'A',
    'I',
    'L 8',
    'F',
    'R',
    'S',
    'B',
    'P',
    'C',
    'ALL',
    'TLS',
    'SHA-512',
  ),
  fc.constantFrom('20260101000000 a.txt', '20269901000000 a.txt', '127,0,0,1,195,80', '|1|127.0.0.1|50000|', '|3|x|1|'),
  fc.constantFrom(
    'CHMOD 777 a.txt',
    'UMASK 9',
    'UTIME a.txt',
    'HELP',
    'UTF8 ON',
    'MLST type;size;',
    'a.txt 1 2',
    'ann',
    'secret',
  ),
  fc.string({ unit: 'binary' }),
);
// IAC DONT and IAC WONT with an option, and 0xFF twice, which is a letter.
const TELNET = /\xff(?:[\xfc\xfe][\s\S]|\xff)/g;
const known = fc.tuple(fc.constantFrom(...Object.keys(COMMANDS), 'NONE'), fc.option(argument)).map(([verb, text]) => {
  return Buffer.from(`${verb}${text === null ? '' : ` ${text.replaceAll(/[\r\n]/g, '')}`}\r\n`, 'utf8');
});
const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([bytes, Buffer.from('\r\n')]));
const lines = fc.array(fc.oneof({ weight: 9, arbitrary: known }, noise), { maxLength: 25 });

test('a session answers in whole replies and logs no error, whatever is said', async () => {
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.nat(2_000), { maxLength: 5 }), fc.boolean(), async (said, cuts, isLoggedIn) => {
      const errors: unknown[] = [];
      const log = { ...silentLog, error: (...words: unknown[]) => void errors.push(words) };
      const fileSystem = memoryFileSystem({
        files: { '/a.txt': 'hello', '/dir/b': 'b' },
        links: { '/l': 'dir', '/loop': 'loop' },
      });
      const accounts = [{ name: 'ann', password: 'secret', mayWrite: true }];
      const { peer, clock } = serveInMemory(ftpProtocol({ fileSystem, accounts }), {
        remote: { family: 'ipv4', address: CLIENT, port: 40_000 },
        context: { log },
      });
      if (isLoggedIn) peer.send('USER ann\r\nPASS secret\r\n');
      for (const chunk of cutAt(Buffer.concat(said), cuts)) peer.send(chunk);
      // Failed logins wait, and so do transfers to which nobody connects.
      let heard = '';
      for (let second = 0; second < 40; second += 1) {
        await turn();
        clock.advance(1_000);
        heard += peer.take();
      }
      peer.reset();
      await turn();
      expect(errors).toEqual([]);
      expect(heard.replaceAll(TELNET, '')).toMatch(REPLIES);
    }),
    // More of them where that is asked for.
    { numRuns: Number(process.env.FUZZ_RUNS ?? 200) },
  );
});
