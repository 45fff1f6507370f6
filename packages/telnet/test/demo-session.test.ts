import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDemoSession } from '../src/demo-session.ts';
import { frameOf } from '../src/demo-window.ts';
import { connect, connectRaw, DO_ECHO, iac, latin1, sb, settle } from './session-fixture.ts';

describe('the demonstration', () => {
  const arrive = (): ReturnType<typeof connectRaw> => connectRaw(createDemoSession());

  test('greets, helps, echoes and leaves', async () => {
    const client = await arrive();
    expect(await client.received()).toMatch(
      /^Welcome\..*\r\nYou are 192\.0\.2\.1:50000, on a terminal of type unknown, 80 by 24\.\r\n.*\r\n> $/,
    );
    const help = await client.say('help\r\n');
    for (const name of [
      'help',
      'who',
      'term',
      'options',
      'window',
      'keys',
      'edit',
      'echo TEXT',
      'time',
      'password',
      'quit',
    ])
      expect(help).toContain(`  ${name} `);
    expect(await client.say('echo  two  spaces\r\n')).toBe(' two  spaces\r\n> ');
    expect(await client.say('\r\n')).toBe('> ');
    expect(await client.say('WHO\r\n')).toContain('192.0.2.1:50000');
    expect(await client.say('term\r\n')).toContain('80 columns, 24 rows');
    expect(await client.say('time\r\n')).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(await client.say('quit\r\n')).toBe('Goodbye.\r\n');
    expect(client.peer.sawEnd).toBe(true);
  });

  test('asks for a password and forgets it', async () => {
    const client = await arrive();
    await client.received();
    await client.say('password\r\n');
    await client.say(DO_ECHO);
    const answer = await client.say('hunter2\r\n');
    expect(answer).toContain('You typed 7 characters.');
    expect(answer).not.toContain('hunter2');
  });

  test('has no commands that the table does not have', async () => {
    const client = await arrive();
    await client.received();
    for (const word of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect(await client.say(`${word}\r\n`)).toContain("I don't know");
  });

  test('shows nothing of an escape sequence that another user has for a terminal type', async () => {
    const demonstration = createDemoSession();
    const hostile = await connectRaw(demonstration);
    await hostile.say(iac(251, 24) + sb(24, 0, ...latin1('\u001b[2J\u001b]0;x\u0007evil')));
    const client = await connectRaw(demonstration);
    await client.received();
    const answer = await client.say('who\r\n');
    expect(answer).toContain('[2j]0;xevil');
    expect(answer).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f]/);
  });

  test('calls a user on a unix socket by no address', async () => {
    const client = await connectRaw(createDemoSession(), { memory: { remote: { family: 'unix', path: '' } } });
    expect(await client.received()).toContain('You are a local user, on a terminal');
  });

  test('forgets who has left', async () => {
    const demonstration = createDemoSession();
    const first = await connectRaw(demonstration);
    const second = await connectRaw(demonstration);
    await first.received();
    await second.received();
    expect((await second.say('who\r\n')).match(/192\.0\.2\.1/g)).toHaveLength(2);
    first.peer.reset();
    await settle();
    expect((await second.say('who\r\n')).match(/192\.0\.2\.1/g)).toHaveLength(1);
  });

  test('survives any bytes', async () => {
    const typed = fc.array(
      fc.oneof(fc.constantFrom(255, 250, 240, 251, 253, 24, 31, 13, 10, 0, 244, 245), fc.integer({ min: 0, max: 255 })),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(typed, async (bytes) => {
        const client = await arrive();
        await client.say(Uint8Array.from(bytes));
        client.peer.end();
        await settle();
        expect(['finished', 'protocol-error']).toContain(client.closeReason);
      }),
    );
  });
});

const terminal = (...names: readonly string[]): string =>
  iac(251, 24) + names.map((name) => sb(24, 0, ...latin1(name))).join('') + sb(24, 0, ...latin1(names.at(-1) ?? ''));
const window = (columns: number, rows: number): string => iac(251, 31) + sb(31, 0, columns, 0, rows);
const AGREED = DO_ECHO + iac(253, 3);

describe('the demonstration for a terminal', () => {
  const arrive = async (options = {}): Promise<ReturnType<typeof connectRaw>> => {
    const client = connect(createDemoSession(options));
    await client.received();
    await client.say(terminal('VT220') + window(40, 6));
    await client.say(AGREED);
    return client;
  };

  test('edits its lines, and completes the commands', async () => {
    const client = await arrive();
    expect(await client.say('h\t')).toBe('help ');
    expect(await client.say('\r')).toContain('  who ');
    expect(await client.say('edit\r')).toContain('^R');
    expect(await client.say('options\r')).toContain('  server WILL  ECHO SGA\r\n');
  });

  test('draws the window, and again at each new size, until a key', async () => {
    const client = await arrive();
    const drawn = await client.say('window\r');
    expect(drawn).toContain(`+${'-'.repeat(38)}+\r\n`);
    expect(drawn).toContain(' 40 x 6 ');
    const again = await client.say(sb(31, 0, 30, 0, 5));
    expect(again).toContain(`+${'-'.repeat(28)}+\r\n`);
    expect(again).toContain(' 30 x 5 ');
    expect(await client.say('x')).toContain('\u001b[?1049l');
    expect(await client.say('echo back\r')).toContain('\r\nback\r\n> ');
  });

  test('tells the names of keys', async () => {
    const client = await arrive();
    await client.say('keys\r');
    expect(await client.say('\u001b[A\u001b[1;5C')).toBe('  up\r\n  ctrl-right\r\n');
    expect(await client.say('q')).toBe('> ');
  });

  test('says after ^C how to leave, and asks again once', async () => {
    const client = await arrive();
    expect(await client.say('\u0003')).toBe("^C\r\n\r\nNothing runs here. 'quit' ends the session.\r\n> ");
  });

  test('stays in line mode where that was asked for', async () => {
    const client = connect(createDemoSession({ mode: 'line' }));
    await client.received();
    expect(await client.say(terminal('VT220') + window(40, 6))).not.toContain(iac(251, 1));
    expect(await client.say('window\r\n')).toBe(
      'Make the window larger or smaller; Enter goes back.\r\n  40 columns, 6 rows\r\n',
    );
    expect(await client.say(sb(31, 0, 50, 0, 7))).toBe('  50 columns, 7 rows\r\n');
    expect(await client.say('\r\n')).toBe('> ');
    expect(await client.say('edit\r\n')).toContain('Your client edits the line');
    expect(await client.say('keys\r\n')).toContain('keeps the keys to itself');
  });

  test.each([
    { name: 'a client for multi-user worlds', names: ['MUDLET', 'ANSI-TRUECOLOR', 'MTTS 2349'] },
    { name: 'a screen reader', names: ['READER', 'XTERM', 'MTTS 65'] },
  ])('leaves the lines to $name', async ({ names }) => {
    const client = connect(createDemoSession());
    await client.received();
    expect(await client.say(terminal(...names) + window(40, 6))).not.toContain(iac(251, 1));
    expect(await client.say('window\r\n')).toContain('  40 columns, 6 rows\r\n');
  });
});

test('a frame is as large as its window, however small that is', () => {
  for (const [columns, rows] of [
    [80, 24],
    [10, 3],
    [2, 2],
    [1, 1],
  ] as const) {
    const lines = frameOf(columns, rows, ['a text that is long', 'b']);
    expect(lines).toHaveLength(rows);
    expect(new Set(lines.map(({ length }) => length))).toEqual(new Set([columns]));
  }
});
