import { afterEach, describe, expect, test } from 'vitest';
import { defineProtocol, serve, type Server } from '../../src/index.ts';
import { formatEndpoint } from '../../src/address/index.ts';
import { socket } from '../../src/socket/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';
import { openDialogue, playDialogue, serveInMemory, type DialogueStep } from '../../src/testing/index.ts';

/** Greets, answers every line in upper case, says goodbye to `quit`. */
const shout = defineProtocol({
  name: 'shout',
  port: 0,
  async connection(peer) {
    await peer.write('hello\r\n');
    for (let line = await peer.readLine(); line !== undefined && line !== 'quit'; line = await peer.readLine())
      await peer.write(`${line.toUpperCase()}\r\n`);
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
  { expect: 'hello\r\n' },
  { send: 'one\r\n' },
  { expect: 'ONE\r\n' },
  { send: Uint8Array.from(Buffer.from('two\nthree\n')) },
  { expect: /^TWO\r\n/ },
  { expect: /REE\r\n/ },
  { send: 'quit\r\n' },
  { expect: 'bye\r\n' },
  { expectEnd: true },
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
    await expect(
      playDialogue(await open(), [{ expect: 'hello\r\n' }, { send: 'one\r\n' }, { expect: 'ONCE\r\n' }]),
    ).rejects.toThrow(
      'expected "ONCE\\r\\n", got "ONE\\r\\n"\nthe dialogue so far:\n  < "hello\\r\\n"\n  > "one\\r\\n"\n  < "ONE\\r\\n"\n',
    );
  });

  test('a server that ends where more is expected, or goes on where its end is, fails the script', async () => {
    await expect(
      playDialogue(await open(), [{ end: true }, { expect: 'hello\r\nbye\r\n' }, { expect: /more/ }]),
    ).rejects.toThrow('expected /more/, but the server has ended');
    await expect(playDialogue(await open(), [{ expectEnd: true }])).rejects.toThrow(
      'expected the end, got "hello\\r\\n"',
    );
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

describe('TLS in a dialogue', () => {
  const { cert, key } = makeCertificate('localhost');
  const upgrading = defineProtocol({
    name: 'upgrading',
    port: 0,
    async connection(peer) {
      for (let line = await peer.readLine(); line !== undefined; line = await peer.readLine()) {
        await peer.write(`${line} in ${peer.secure === undefined ? 'clear' : 'secret'}\n`);
        if (line === 'STARTTLS') await peer.startTls();
      }
    },
  });

  async function upgradingAt(scheme: 'tcp' | 'tls'): Promise<string> {
    const server = await serve(upgrading, { listen: `${scheme}://127.0.0.1:0`, tls: { cert, key } });
    servers.push(server);
    return ((await server.status()).services[0]?.endpoints[0] ?? '').replace('127.0.0.1', 'localhost');
  }

  test('begins in the middle', async () => {
    const transcript = await playDialogue(await upgradingAt('tcp'), [
      { send: 'one\n' },
      { expect: 'one in clear\n' },
      { send: 'STARTTLS\n' },
      { expect: 'STARTTLS in clear\n' },
      { startTls: { ca: cert } },
      { send: 'two\n' },
      { expect: 'two in secret\n' },
      { end: true },
      { expectEnd: true },
    ]);
    expect(transcript).toContain('- TLS from here on\n> "two\\n"\n< "two in secret\\n"');
  });

  test('begins at the start of a tls endpoint', () =>
    upgradingAt('tls').then((url) =>
      playDialogue(url, [{ send: 'one\n' }, { expect: 'one in secret\n' }], { tls: { ca: cert } }),
    ));

  test('fails with the transcript where it is not spoken, not trusted, or not expected', async () => {
    const url = await upgradingAt('tcp');
    await expect(playDialogue(url, [{ send: 'one\n' }, { expect: 'one' }, { startTls: {} }])).rejects.toThrow(
      /expected a handshake, got " in clear\\n"\nthe dialogue so far/,
    );
    await expect(playDialogue(url, [{ send: 'STARTTLS\n' }, { expect: /\n/ }, { startTls: {} }])).rejects.toThrow(
      /TLS could not be started: .*self-signed/,
    );
    await expect(playDialogue(serveInMemory(shout), [{ expect: /\n/ }, { startTls: {} }])).rejects.toThrow(
      'a connection over memory knows no TLS',
    );
  });
});

test('a server that takes nothing is given up too', async () => {
  await using deaf = socket('stream');
  const url = formatEndpoint(await deaf.bind('tcp://127.0.0.1:0'));
  await deaf.listen();
  await expect(playDialogue(url, [{ send: new Uint8Array(16 * 1024 * 1024) }], { giveUpMs: 200 })).rejects.toThrow(
    'could not say',
  );
});

test('a server that says nothing is given up, with what was said so far', async () => {
  await using silent = socket('stream');
  const url = formatEndpoint(await silent.bind('tcp://127.0.0.1:0'));
  await silent.listen();
  await expect(playDialogue(url, [{ send: 'hello?' }, { expect: 'yes' }], { giveUpMs: 50 })).rejects.toThrow(
    /expected "yes", but nothing came for 50 ms\nthe dialogue so far:\n {2}> "hello\?"/,
  );
  const mute = defineProtocol({ name: 'mute', port: 0, connection: () => new Promise(() => undefined) });
  await expect(playDialogue(serveInMemory(mute), [{ expect: 'yes' }])).rejects.toThrow(
    'expected "yes", but nothing came for 1000 turns of the event loop',
  );
});
