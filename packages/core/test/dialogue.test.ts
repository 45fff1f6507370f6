import { afterEach, describe, expect, test } from 'vitest';
import { defineProtocol, formatEndpoint, serve, socket, type Server } from '../src/index.ts';
import { openDialogue, playDialogue, serveInMemory, type DialogueStep } from '../src/testing/index.ts';

/** Greets, answers every line in upper case, says goodbye to `quit`. */
const shout = defineProtocol({
  name: 'shout',
  port: 0,
  async connection(peer) {
    await peer.write('hello\r\n');
    for (let line = await peer.readLine(); line !== undefined && line !== 'quit'; line = await peer.readLine()) await peer.write(`${line.toUpperCase()}\r\n`);
    await peer.write('bye\r\n');
  },
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close({ graceMs: 0 });
});

async function served(): Promise<string> {
  const server = await serve(shout, { listen: 'tcp://127.0.0.1:0' });
  servers.push(server);
  return (await server.status()).services[0]?.endpoints[0] ?? '';
}

const SCRIPT: readonly DialogueStep[] = [
  { expect: 'hello\r\n' }, { send: 'one\r\n' }, { expect: 'ONE\r\n' }, { send: Uint8Array.from(Buffer.from('two\nthree\n')) }, { expect: /^TWO\r\n/ }, { expect: /REE\r\n/ },
  { send: 'quit\r\n' }, { expect: 'bye\r\n' }, { expectEnd: true },
];

describe.each([
  ['a real connection', () => served()],
  ['memory', () => Promise.resolve(serveInMemory(shout))],
])('a dialogue over %s', (_name, open) => {
  test('plays its script and gives the transcript', async () => {
    const transcript = await playDialogue(await open(), SCRIPT);
    expect(transcript.split('\n')[0]).toBe('< "hello\\r\\n"');
    expect(transcript).toContain('> "one\\r\\n"\n< "ONE\\r\\n"');
  });

  test('text that differs fails at the first byte that does, with all that was said', async () => {
    await expect(playDialogue(await open(), [{ expect: 'hello\r\n' }, { send: 'one\r\n' }, { expect: 'ONCE\r\n' }])).rejects.toThrow(
      'expected "ONCE\\r\\n", got "ONE\\r\\n"\nthe dialogue so far:\n  < "hello\\r\\n"\n  > "one\\r\\n"\n  < "ONE\\r\\n"\n',
    );
  });

  test('a server that ends where more is expected, or goes on where its end is, fails the script', async () => {
    await expect(playDialogue(await open(), [{ end: true }, { expect: 'hello\r\nbye\r\n' }, { expect: /more/ }])).rejects.toThrow('expected /more/, but the server has ended');
    await expect(playDialogue(await open(), [{ expectEnd: true }])).rejects.toThrow('expected the end, got "hello\\r\\n"');
  });

  test('what one expectation leaves, the next one gets', async () => {
    await using dialogue = await openDialogue(await open());
    await dialogue.send('a\nb\nquit\n');
    expect(await dialogue.expect(/A/)).toBe('hello\r\nA');
    expect(await dialogue.expect('\r\nB\r\n')).toBe('\r\nB\r\n');
    await dialogue.expect('bye\r\n');
    await dialogue.expectEnd();
  });
});

test('a server that says nothing is given up, with what was said so far', async () => {
  await using silent = socket('stream');
  const url = formatEndpoint(await silent.bind('tcp://127.0.0.1:0'));
  await silent.listen();
  await expect(playDialogue(url, [{ send: 'anybody?' }, { expect: 'yes' }], { giveUpMs: 50 })).rejects.toThrow(/expected "yes", but nothing came for 50 ms\nthe dialogue so far:\n {2}> "anybody\?"/);
  const mute = defineProtocol({ name: 'mute', port: 0, connection: () => new Promise(() => undefined) });
  await expect(playDialogue(serveInMemory(mute), [{ expect: 'yes' }])).rejects.toThrow('expected "yes", but nothing came for 1000 turns of the event loop');
});
