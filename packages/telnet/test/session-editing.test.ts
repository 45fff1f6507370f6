// What a session makes of keys, when its client sends every one.

import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { ESCAPE_TIMEOUT_MS } from '../src/keys/key-decoder.ts';
import type { TelnetHandler } from '../src/connection.ts';
import type { TelnetSession } from '../src/session.ts';
import { connectRaw, iac, IP, sb, type Client } from './session-fixture.ts';

const AGREED = iac(253, 1) + iac(253, 3);
const VT100 = iac(251, 24) + sb(24, 0, ...Buffer.from('VT100'));

/** A client in character mode, on a VT100. */
async function inCharacterMode(handler: TelnetHandler, sent = VT100): Promise<Client> {
  const client = await connectRaw(async (session) => {
    await session.setMode('character');
    await handler(session);
  });
  await client.say(sent);
  await client.say(AGREED);
  return client;
}

const reading =
  (options: Parameters<TelnetSession['lines']>[0], lines: string[] = []): TelnetHandler =>
  async (session) => {
    session.on('interrupt', () => void lines.push('interrupt'));
    for await (const line of session.lines(options)) lines.push(line);
    lines.push('over');
  };

describe('lines of a client that sends every key', () => {
  test('are shown as they are typed, edited, and read at Enter', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({ prompt: '> ' }, lines));
    expect(await client.say('helo')).toBe('helo');
    expect(await client.say('\u001b[D')).toBe('\b');
    expect(await client.say('l')).toBe('lo\b');
    expect(await client.say('\r\0')).toBe('\u001b[C\r\n> ');
    expect(lines).toEqual(['hello']);
  });

  test('that come together are all read, however Enter is sent', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({}, lines));
    await client.say('one\r\ntwo\r\0three\nfour\r');
    await turn();
    expect(lines).toEqual(['one', 'two', 'three', 'four']);
  });

  test('that are pasted by the thousand are all read, each for the same work', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({}, lines));
    const pasted = Array.from({ length: 20_000 }, (_, number) => String(number));
    // Each line once made a pass over all that were still to come: this took minutes.
    client.peer.send(`${pasted.join('\r')}\r`);
    await eventually(() => expect(lines).toHaveLength(pasted.length));
    expect(lines).toEqual(pasted);
  });

  test('come while a handler is at work, and ^C behind them is heard by it at once', async () => {
    const heard: string[] = [];
    const client = await inCharacterMode(async (session) => {
      session.on('interrupt', () => void heard.push('interrupt'));
      const lines = session.lines();
      heard.push(String((await lines.next()).value));
      await new Promise((resolve) => session.signal.addEventListener('abort', resolve));
    });
    await client.say('work\rnext\r');
    expect(heard).toEqual(['work']);
    await client.say('more\u0003');
    expect(heard).toEqual(['work', 'interrupt']);
  });

  test('have a history of their own', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({}, lines));
    await client.say('first\r');
    await client.say('second\r');
    await client.say('\u001b[A\u001b[A!\r');
    expect(lines).toEqual(['first', 'second', 'first!']);
  });

  test('are completed by Tab, and a second Tab shows what there is', async () => {
    const lines: string[] = [];
    const complete = (line: string): string[] => ['show', 'shutdown', 'help'].filter((word) => word.startsWith(line));
    const client = await inCharacterMode(reading({ prompt: '# ', complete }, lines));
    expect(await client.say('he\t')).toBe('help ');
    await client.say('\u0015');
    expect(await client.say('s\t')).toBe('sh');
    expect(await client.say('\t')).toBe('\u0007\r\nshow      shutdown\r\n# sh');
    await client.say('o\t\r');
    expect(lines).toEqual(['show ']);
  });

  test('wait for a completion that takes its time, and lose nothing of what is typed meanwhile', async () => {
    const lines: string[] = [];
    let answer: (candidates: readonly string[]) => void = () => undefined;
    const complete = (): Promise<readonly string[]> => new Promise((resolve) => (answer = resolve));
    const client = await inCharacterMode(reading({ complete }, lines));
    await client.say('sh\t');
    await client.say('now\r');
    expect(lines).toEqual([]);
    answer(['show']);
    await turn();
    expect(lines).toEqual(['show now']);
  });

  test('show help at a question mark, which is not typed', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({ prompt: '# ', help: (line) => `help for '${line}'` }, lines));
    expect(await client.say('show ?')).toBe("show ?\r\nhelp for 'show '\r\n# show ");
    await client.say('x\r');
    expect(lines).toEqual(['show x']);
  });

  test('what is printed meanwhile stands above the line', async () => {
    let session: TelnetSession | undefined;
    const client = await inCharacterMode(async (given) => {
      session = given;
      await reading({ prompt: '> ' })(given);
    });
    await client.say('half a l');
    void session?.print('Ann says hello.');
    expect(await client.received()).toBe('\r\0\u001b[KAnn says hello.\r\n> half a l');
  });

  test('a new size draws the line anew', async () => {
    const client = await inCharacterMode(reading({ prompt: '> ' }), VT100 + iac(251, 31) + sb(31, 0, 20, 0, 24));
    await client.say('x'.repeat(30));
    expect(await client.say(sb(31, 0, 40, 0, 24))).toContain(`> ${'x'.repeat(30)}`);
  });

  test('^C throws the line away, is told once, and asks anew', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({ prompt: '> ' }, lines));
    await client.say('half');
    expect(await client.say('\u0003')).toBe('^C\r\n> ');
    await client.say('whole\r');
    expect(lines).toEqual(['interrupt', 'whole']);
  });

  test('IP does the same', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({ prompt: '> ' }, lines));
    await client.say('half');
    expect(await client.say(IP)).toContain('^C\r\n> ');
    await client.say('whole\r');
    expect(lines).toEqual(['interrupt', 'whole']);
  });

  test('^C while the handler is at work interrupts it', async () => {
    const lines: string[] = [];
    let finish = (): void => undefined;
    const client = await inCharacterMode(async (session) => {
      session.on('interrupt', () => {
        lines.push('interrupt');
        finish();
      });
      for await (const line of session.lines({ prompt: '> ' })) {
        lines.push(line);
        await new Promise<void>((resolve) => (finish = resolve));
      }
    });
    await client.say('work\r');
    expect(await client.say('\u0003')).toContain('> ');
    expect(lines).toEqual(['work', 'interrupt']);
  });

  test('^D on an empty line is their end', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({}, lines));
    await client.say('\u0004');
    expect(lines).toEqual(['over']);
    expect(client.peer.sawEnd).toBe(true);
  });

  test('a terminal without cursor movement gets none', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({ prompt: '> ' }, lines), '');
    const shown = await client.say('abc\u001b[D\u001b[DX\u007f\u0005\u0015ok\r');
    expect(shown).not.toContain('\u001b');
    expect(lines).toEqual(['ok']);
  });

  test('one that is longer than the limit is refused, and said', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(reading({}, lines));
    await client.say('x'.repeat(4096));
    expect(await client.say('y')).toBe('\u0007');
    expect(await client.say('\r')).toContain('Line too long: more than 4096 bytes. Nothing was done.');
    await client.say('short\r');
    expect(lines).toEqual(['short']);
  });
});

describe('a question', () => {
  test('of a password shows nothing, or what the mask says, and stays in character mode', async () => {
    const answers: unknown[] = [];
    const client = await inCharacterMode(async (session) => {
      answers.push(await session.askPassword('Password: '), session.mode);
      answers.push(await session.ask('PIN: ', { mask: '*' }), session.mode);
      answers.push(await session.ask('Name: '));
      await session.readLine();
    });
    expect(await client.say('hunter2')).toBe('');
    expect(await client.say('\r')).toBe('\r\nPIN: ');
    expect(await client.say('123')).toBe('***');
    expect(await client.say('\r')).toBe('\r\nName: ');
    await client.say('\u001b[AAnn\r');
    expect(answers).toEqual(['hunter2', 'character', '123', 'character', 'Ann']);
  });

  test('of several rows has the line in the last', async () => {
    const client = await inCharacterMode(async (session) => {
      await session.ask('A form.\nName: ');
    });
    expect(await client.say('Ann\u0001')).toBe('Ann\b\b\b');
  });

  test('while another waits is a mistake of the program', async () => {
    const errors: unknown[] = [];
    await inCharacterMode(async (session) => {
      const first = session.ask('one ');
      await session.ask('two ').catch((error: unknown) => errors.push(error));
      await first;
    });
    expect(errors).toEqual([expect.objectContaining({ code: 'WRONG_STATE' })]);
  });
});

describe('keys', () => {
  const collecting =
    (names: string[]): TelnetHandler =>
    async (session) => {
      for await (const { name } of session.keys()) {
        names.push(name);
        if (name === 'q') break;
      }
      await session.print(`left, then ${(await session.readLine()) ?? ''}`);
    };

  test('come as they are hit, and lines can be read after them', async () => {
    const names: string[] = [];
    const client = await inCharacterMode(collecting(names));
    await client.say('a\u001b[A\u001b[1;5C\u0003\rq');
    expect(names).toEqual(['a', 'up', 'ctrl-right', 'ctrl-c', 'enter', 'q']);
    expect(await client.say('more\r')).toContain('left, then more');
  });

  test('ESC alone is one after a moment', async () => {
    const names: string[] = [];
    const client = await inCharacterMode(collecting(names));
    await client.say('\u001b');
    expect(names).toEqual([]);
    client.clock.advance(ESCAPE_TIMEOUT_MS);
    await turn();
    await client.say('[A');
    expect(names).toEqual(['escape', '[', 'A']);
  });

  test('a sequence that comes in two packets is one key', async () => {
    const names: string[] = [];
    const client = await inCharacterMode(collecting(names));
    await client.say('\u001b');
    client.clock.advance(ESCAPE_TIMEOUT_MS - 1);
    await client.say('[A');
    expect(names).toEqual(['up']);
  });
});

describe('pastes', () => {
  const XTERM = iac(251, 24) + sb(24, 0, ...Buffer.from('XTERM')) + sb(24, 0, ...Buffer.from('XTERM'));
  const ON = '\u001b[?2004h';
  const OFF = '\u001b[?2004l';

  test('are marked by terminals that can, as long as a line is edited', async () => {
    const client = await connectRaw(async (session) => {
      await session.setMode('character');
      await session.ask('name? ');
      await session.print('not now');
      await session.ask('password? ', { mask: '*' });
      for await (const key of session.keys()) if (key.name === 'q') break;
    });
    await client.say(XTERM);
    expect(await client.say(AGREED)).toBe(`${ON}name? `);
    expect(await client.say('a\r')).toBe(`a\r\n${OFF}not now\r\n${ON}password? `);
    expect(await client.say('b\r')).toBe(`*\r\n${OFF}`);
    expect(await client.say('q')).toBe('');
  });

  test('are not asked for of terminals that may not know them', async () => {
    const client = await inCharacterMode(reading({ prompt: '> ' }));
    expect(await client.say('a\r')).toBe('a\r\n> ');
  });

  test('of several lines are text to their end: no completion, no help', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(
      reading({ complete: () => ['completed'], help: () => 'helped' }, lines),
      XTERM,
    );
    const shown = await client.say('\u001b[200~one?\r\ttwo?\rthree\u001b[201~ f\t\r');
    await turn();
    expect(lines).toEqual(['one?', '\ttwo?', 'three completed ']);
    expect(shown).not.toContain('helped');
  });

  test('that lost their end in another reader are over', async () => {
    const lines: string[] = [];
    const client = await inCharacterMode(async (session) => {
      lines.push((await session.readLine()) ?? '');
      for await (const key of session.keys()) if (key.name === 'q') break;
      lines.push((await session.readLine()) ?? '');
    }, XTERM);
    await client.say('\u001b[200~one\rtwo\u001b[201~');
    await client.say('q');
    await client.say('x\u007fy\r');
    expect(lines).toEqual(['one', 'y']);
  });
});

describe('a recording', () => {
  const recorded = (): { readonly lines: string[]; readonly sink: { write(text: string): void } } => {
    const lines: string[] = [];
    return { lines, sink: { write: (text) => void lines.push(text) } };
  };
  const events = (lines: readonly string[]): unknown[] => lines.slice(1).map((line) => JSON.parse(line) as unknown);

  test('is an asciicast: the terminal, then what it was shown, when, and its sizes', async () => {
    const { lines, sink } = recorded();
    let session: TelnetSession | undefined;
    let stop = (): void => undefined;
    const client = await inCharacterMode(
      async (given) => {
        session = given;
        stop = given.record(sink, { title: 'a session' });
        await new Promise(() => undefined);
      },
      VT100 + iac(251, 31) + sb(31, 0, 90, 0, 30),
    );
    client.clock.advance(1500);
    void session?.write('é\n');
    void session?.write(Uint8Array.of(0xc3));
    void session?.write(Uint8Array.of(0xa9, 0xff));
    await client.say(sb(31, 0, 100, 0, 40));
    stop();
    void session?.write('not recorded');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      version: 2,
      width: 90,
      height: 30,
      title: 'a session',
      env: { TERM: 'vt100' },
    });
    expect(events(lines)).toEqual([
      [1.5, 'o', 'é\r\n'],
      [1.5, 'o', 'é\ufffd'],
      [1.5, 'r', '100x40'],
    ]);
  });

  test('has the lines of a client that edits and shows them itself, as they are read', async () => {
    const { lines, sink } = recorded();
    const client = await connectRaw(async (session) => {
      session.record(sink);
      for await (const line of session.lines({ prompt: '> ' })) await session.print(`said ${line}`);
    });
    await client.say('hello\r\nworld\r\n');
    const shown = events(lines).map((event) => (event as [number, string, string])[2]);
    expect(shown.join('')).toBe('> hello\r\nsaid hello\r\n> world\r\nsaid world\r\n> ');
  });

  test.each(['line', 'character'] as const)('pauses while a password is masked, in %s mode', async (mode) => {
    const { lines, sink } = recorded();
    const handler: TelnetHandler = async (session) => {
      session.record(sink);
      await session.print('before');
      await session.ask('Password: ', { mask: '*' });
      await session.print('after');
      await session.readLine();
    };
    const client = await (mode === 'line' ? connectRaw(handler) : inCharacterMode(handler));
    await client.say(AGREED);
    await client.say('hunter2\r');
    const shown = events(lines).map((event) => (event as [number, string, string])[2]);
    expect(shown.join('')).toBe('before\r\nafter\r\n');
  });

  test('a sink that fails, or is too slow, costs the recording and not the session', async () => {
    const slow = { written: '', writableLength: 0, write: (text: string) => (slow.written += text) };
    const client = await inCharacterMode(async (session) => {
      session.record({
        write: () => {
          throw new Error('disk full');
        },
      });
      session.record(slow);
      slow.writableLength = 1024 * 1024 + 1;
      await session.print('lost');
      slow.writableLength = 1024 * 1024;
      await session.print('seen');
      await session.readLine();
    });
    await client.say('still there');
    expect(slow.written).toContain('"m","1 events were lost"');
    expect(slow.written).toContain('seen');
    expect(slow.written).not.toContain('"lost');
    expect(client.closeReason).toBeUndefined();
  });
});
