// A session over memory: a test plays the client's end of its control connection and of its data connections. Nothing
// here waits for a clock.

import { silentLog, type Logger } from '@wellknown/core';
import { serveInMemory, type MemoryPeer, type ServedMemoryConnection } from '@wellknown/core/testing';
import { expect } from 'vitest';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { ftpProtocol, type FtpOptions } from '../src/protocol.ts';

export const CLIENT = '127.0.0.1';

/** The codes of the replies in what the server sent, without the inner lines of long ones. */
export const codes = (text: string): number[] => [...text.matchAll(/^(\d{3}) /gm)].map((match) => Number(match[1]));

export interface Play extends ServedMemoryConnection {
  /** Says it and waits until so many replies have come. */
  say(text: string, replies?: number): Promise<string>;
  /** EPSV, and the client's end of a connection to the port it names. */
  openData(): Promise<MemoryPeer>;
}

/** One turn of the event loop, in which promises of file systems settle. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function play(options: Partial<FtpOptions> = {}, log: Logger = silentLog): Play {
  const memory = serveInMemory(
    ftpProtocol({
      fileSystem: memoryFileSystem({ files: { '/a.txt': 'hello', '/dir/b': 'b' } }),
      accounts: [{ name: 'ann', password: 'secret', mayWrite: true }],
      anonymous: true,
      ...options,
    }),
    { remote: { family: 'ipv4', address: CLIENT, port: 40_000 }, context: { log } },
  );
  const say = async (text: string, replies = 1): Promise<string> => {
    memory.peer.send(text);
    let heard = memory.peer.take();
    for (let turns = 0; codes(heard).length < replies && turns < 1000; turns += 1) {
      await turn();
      heard += memory.peer.take();
    }
    expect(codes(heard), `${JSON.stringify(text)} was answered ${JSON.stringify(heard)}`).toHaveLength(replies);
    return heard;
  };
  const openData = async (): Promise<MemoryPeer> => {
    const port = Number(/\|\|\|(\d+)\|/.exec(await say('EPSV\r\n'))?.[1]);
    const peer = memory.network.connectTo(port, CLIENT);
    if (peer === undefined) throw new Error(`nothing listens on port ${port}`);
    return peer;
  };
  // A spread would read the getters once and for all.
  return Object.assign(memory, { say, openData });
}

/** The same after USER and PASS. */
export async function playLoggedIn(options: Partial<FtpOptions> = {}, log?: Logger): Promise<Play> {
  const session = play(options, log);
  await session.say('USER ann\r\nPASS secret\r\n', 3);
  return session;
}
