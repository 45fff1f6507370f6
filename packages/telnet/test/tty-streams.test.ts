// Programs made for a terminal, unchanged, on a session.

import { start as startRepl } from 'node:repl';
import { createInterface } from 'node:readline/promises';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import type { TelnetHandler } from '../src/connection.ts';
import type { TelnetSession } from '../src/session.ts';
import { connectRaw, iac, sb, type Client } from './session-fixture.ts';

const AGREED = iac(253, 1) + iac(253, 3);
const XTERM = iac(251, 24) + sb(24, 0, ...Buffer.from('XTERM-256COLOR')) + iac(251, 31) + sb(31, 0, 90, 0, 30);

async function inCharacterMode(handler: TelnetHandler): Promise<Client> {
  const client = await connectRaw(async (session) => {
    await session.setMode('character');
    await handler(session);
  });
  await client.say(XTERM);
  // What the program says at first is for the test to receive.
  client.peer.send(AGREED);
  return client;
}

/** What the session says until it says `text`; a program may take a few turns of the event loop. */
async function until(client: Client, text: string): Promise<string> {
  let seen = '';
  await eventually(async () => {
    seen += await client.received();
    expect(seen).toContain(text);
  });
  return seen;
}

const held = (session: TelnetSession): Promise<void> =>
  new Promise((resolve) => session.signal.addEventListener('abort', () => resolve()));

describe('node:readline', () => {
  test('edits lines on a session, and knows its width', async () => {
    const answers: string[] = [];
    const client = await inCharacterMode(async ({ stdin, stdout }) => {
      expect([stdin.isTTY, stdout.isTTY, stdout.columns, stdout.rows]).toEqual([true, true, 90, 30]);
      const lines = createInterface({ input: stdin, output: stdout });
      expect(lines.terminal).toBe(true);
      answers.push(await lines.question('name? '));
      lines.close();
    });
    await until(client, 'name? ');
    await client.say('Anm\u007fn\r');
    await turn();
    expect(answers).toEqual(['Ann']);
  });

  test('reads lines of a client that edits them itself', async () => {
    const answers: string[] = [];
    const client = await connectRaw(async ({ stdin, stdout }) => {
      expect([stdin.isTTY, stdout.isTTY]).toEqual([false, false]);
      for await (const line of createInterface({ input: stdin, output: stdout })) answers.push(line);
    });
    await client.say('one\r\ntwo\r\n');
    client.peer.end();
    await turn();
    expect(answers).toEqual(['one', 'two']);
  });
});

describe('node:repl', () => {
  test('evaluates, completes, recalls and ends', async () => {
    const client = await inCharacterMode(async ({ stdin, stdout }) => {
      const repl = startRepl({ prompt: 'node> ', input: stdin, output: stdout, useColors: false });
      repl.context.answer = 42;
      await new Promise((resolve) => repl.on('exit', resolve));
    });
    await until(client, 'node> ');
    client.peer.send('answ\t');
    await until(client, 'answer');
    client.peer.send(' + 1\r');
    await until(client, '43');
    client.peer.send('\u001b[A\r');
    await until(client, '43');
    client.peer.send('.exit\r');
    await eventually(() => expect(client.peer.sawEnd).toBe(true));
  });
});

describe('standard input', () => {
  test('gives keys in raw mode, and lines that can be edited otherwise', async () => {
    const chunks: string[] = [];
    let session: TelnetSession | undefined;
    const client = await inCharacterMode(async (given) => {
      session = given;
      given.stdin.on('data', (bytes: Buffer) => chunks.push(bytes.toString()));
      await held(given);
    });
    await client.say('ab\u007fc\r');
    await turn();
    expect(chunks).toEqual(['ac\n']);
    session?.stdin.setRawMode(true);
    expect(session?.stdin.isRaw).toBe(true);
    await turn();
    await client.say('x\u001b[A\r');
    await turn();
    expect(chunks.slice(1).join('')).toBe('x\u001b[A\r');
    session?.stdin.setRawMode(false);
    await turn();
    await client.say('yz\r');
    await turn();
    expect(chunks.at(-1)).toBe('yz\n');
  });

  test('ends with the session', async () => {
    let ended = false;
    const client = await inCharacterMode(async (session) => {
      session.stdin.setRawMode(true);
      session.stdin.on('end', () => (ended = true)).resume();
      await held(session);
    });
    client.peer.end();
    await eventually(() => expect(ended).toBe(true));
  });
});

describe('standard output', () => {
  test('says a new size, moves the cursor and tells its colours', async () => {
    const sizes: unknown[] = [];
    const client = await inCharacterMode(async (session) => {
      const { stdout } = session;
      stdout.on('resize', () => sizes.push(stdout.getWindowSize()));
      expect(stdout.getColorDepth()).toBe(8);
      expect([stdout.hasColors(), stdout.hasColors(256), stdout.hasColors(2 ** 24)]).toEqual([true, true, false]);
      stdout.cursorTo(3, 4);
      stdout.clearLine(0);
      stdout.moveCursor(-1, 2);
      stdout.clearScreenDown();
      stdout.write('é\n');
      stdout.write(Buffer.from('bytes\nÿ'));
      await held(session);
    });
    const shown = await until(client, 'bytes\r\n');
    expect(Buffer.from(shown, 'latin1').toString()).toBe(
      '\u001b[5;4H\u001b[2K\u001b[1D\u001b[2B\u001b[0Jé\r\nbytes\r\nÿ',
    );
    await client.say(sb(31, 0, 100, 0, 40));
    expect(sizes).toEqual([[100, 40]]);
  });

  test('can be piped into, and its end leaves the session open', async () => {
    const client = await inCharacterMode(async (session) => {
      const source = new PassThrough();
      source.pipe(session.stdout);
      source.end('piped\n');
      await new Promise((resolve) => session.stdout.on('finish', resolve));
      await session.print('after');
      await session.readLine();
    });
    await until(client, 'piped\r\nafter\r\n');
    expect(client.peer.sawEnd).toBe(false);
  });
});
