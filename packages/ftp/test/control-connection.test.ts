import { serveInMemory } from '@wellknown/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { ftpProtocol } from '../src/protocol.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import type { FileSystem } from '../src/file-system.ts';
import { codes, play, playLoggedIn, turn } from './memory-session.ts';

describe('the dialogue', () => {
  test('begins with 220 and ends with 221', async () => {
    const session = play();
    expect(codes(await session.say('QUIT\r\n', 2))).toEqual([220, 221]);
    expect(session.peer.sawEnd).toBe(true);
  });

  test('pipelined commands are answered strictly in order', async () => {
    const session = play();
    const all = await session.say(
      'USER ann\r\nPASS secret\r\nPWD\r\nCWD dir\r\nPWD\r\nSIZE b\r\nTYPE I\r\nSIZE b\r\nCWD nowhere\r\nNOOP\r\n',
      11,
    );
    expect(codes(all)).toEqual([220, 331, 230, 257, 250, 257, 550, 200, 213, 550, 200]);
  });

  test('the same commands byte by byte get the same answers', async () => {
    const session = await playLoggedIn();
    for (const character of 'MKD new\r\nCWD new\r\nRMD /new\r\n') session.peer.send(character);
    expect(codes(await session.say('NOOP\r\n', 4))).toEqual([257, 250, 250, 200]);
  });

  test('a name keeps its spaces and its quotes', async () => {
    const session = await playLoggedIn();
    expect(await session.say('MKD  a"b \r\n')).toBe('257 "/ a""b " created.\r\n');
    expect(codes(await session.say('CWD  a"b \r\n'))).toEqual([250]);
  });

  test('rename, delete, times and modes', async () => {
    const session = await playLoggedIn();
    const all = await session.say(
      'RNFR a.txt\r\nRNTO dir/c.txt\r\nMFMT 20200102030405 dir/c.txt\r\nMDTM dir/c.txt\r\nSITE CHMOD 600 dir/c.txt\r\nMLST dir/c.txt\r\nDELE dir/c.txt\r\nDELE dir/c.txt\r\n',
      8,
    );
    expect(codes(all)).toEqual([350, 250, 213, 213, 200, 250, 250, 550]);
    expect(all).toContain('213 20200102030405\r\n');
    expect(all).toContain('\r\n type=file;size=5;modify=20200102030405;perm=radfw;unix.mode=0600; /dir/c.txt\r\n');
  });

  test('MLST tells of what a link leads to, and of the link itself where that is nothing', async () => {
    const links = { '/l': 'a.txt', '/dangling': 'nowhere' };
    const session = await playLoggedIn({ fileSystem: memoryFileSystem({ files: { '/a.txt': 'hello' }, links }) });
    expect(await session.say('MLST l\r\n')).toContain('type=file;size=5;');
    expect(await session.say('MLST dangling\r\n')).toContain('type=OS.unix=slink:nowhere;');
    expect(codes(await session.say('MLST none\r\n'))).toEqual([550]);
  });

  test('a directory does not move into itself', async () => {
    const session = await playLoggedIn();
    expect(codes(await session.say('RNFR dir\r\nRNTO dir/sub\r\n', 2))).toEqual([350, 553]);
  });

  test('STAT with a path is a listing over the control connection', async () => {
    const session = await playLoggedIn();
    expect(await session.say('STAT -la dir\r\n')).toMatch(/^213-Status of dir\r\n -rw-r--r-- .* b\r\n213 End\r\n$/);
    expect(codes(await session.say('STAT nowhere\r\n'))).toEqual([550]);
  });

  test('anonymous reads and never writes', async () => {
    const session = play();
    await session.say('USER anonymous\r\nPASS me@example.org\r\nTYPE I\r\n', 4);
    expect(
      codes(await session.say('SIZE a.txt\r\nDELE a.txt\r\nMKD x\r\nSTOR x\r\nSITE CHMOD 777 a.txt\r\n', 5)),
    ).toEqual([213, 550, 550, 550, 550]);
  });

  test('what a peer sends before it ends is still answered', async () => {
    const session = play();
    session.peer.send('USER ann\r\nPASS secret\r\nPWD\r\n');
    session.peer.end();
    expect(codes(await session.say('', 4))).toEqual([220, 331, 230, 257]);
    expect(session.closeReason).toBe('finished');
  });

  test('an HTTP request is ended at its first line', async () => {
    const session = play();
    expect(codes(await session.say('POST / HTTP/1.1\r\nUSER ann\r\nPASS secret\r\n', 2))).toEqual([220, 421]);
    expect(session.peer.sawEnd).toBe(true);
  });
});

describe('time', () => {
  test('a wrong password waits a second for its answer, and so does everything behind it', async () => {
    const session = play();
    await session.say('USER ann\r\nPASS wrong\r\nNOOP\r\n', 2);
    await turn();
    session.clock.advance(999);
    await turn();
    expect(session.peer.take()).toBe('');
    session.clock.advance(1);
    expect(codes(await session.say('', 2))).toEqual([530, 200]);
  });

  test('login has sixty seconds, whatever is said meanwhile', async () => {
    const session = play();
    await session.say('', 1);
    session.clock.advance(59_000);
    await session.say('NOOP\r\n');
    session.clock.advance(1_200);
    expect(codes(await session.say(''))).toEqual([421]);
  });

  test('a login that nobody had time to look at is told so at once, without a failed login, and the connection ends', async () => {
    const session = play({ authenticate: () => 'busy' });
    expect(await session.say('USER ann\r\nPASS secret\r\n', 3)).toContain(
      '421 Too many are logging in; try again in a moment.\r\n',
    );
    expect(session.peer.sawEnd).toBe(true);
  });

  test('after login each command gives five more minutes, then comes 421', async () => {
    const session = await playLoggedIn();
    session.clock.advance(299_000);
    await session.say('NOOP\r\n');
    session.clock.advance(299_000);
    expect(session.peer.take()).toBe('');
    session.clock.advance(1_200);
    expect(await session.say('')).toBe('421 Idle for too long.\r\n');
    expect(session.peer.sawEnd).toBe(true);
  });
});

describe('bounds', () => {
  test('a line beyond the limit is answered once, and the session goes on', async () => {
    const session = await playLoggedIn({ session: { maxLineBytes: 32 } });
    expect(codes(await session.say(`CWD ${'x'.repeat(28)}\r\n`))).toEqual([550]);
    expect(codes(await session.say(`CWD ${'x'.repeat(29)}\r\n`))).toEqual([500]);
    expect(codes(await session.say(`${'x'.repeat(10_000)}\r\nNOOP\r\n`, 2))).toEqual([500, 200]);
  });

  test('while a command is at work only so many are decoded, and the peer is paused', async () => {
    let release: (() => void) | undefined;
    const files = memoryFileSystem();
    const slow: FileSystem = {
      ...files,
      stat: (path) => new Promise((resolve) => (release = () => void files.stat(path).then(resolve))),
    };
    const session = await playLoggedIn({ fileSystem: slow, session: { maxQueuedCommands: 4 } });
    const [pause, resume] = [vi.spyOn(session.connection, 'pause'), vi.spyOn(session.connection, 'resume')];
    session.peer.send('CWD /\r\n');
    await turn();
    session.peer.send('NOOP\r\n'.repeat(4));
    await turn();
    expect(pause).not.toHaveBeenCalled();
    session.peer.send('NOOP\r\n');
    await turn();
    expect([pause.mock.calls.length, resume.mock.calls.length]).toEqual([1, 0]);
    // Paused: what comes now is not even looked at until there is room.
    session.peer.send('PWD\r\n'.repeat(1000));
    await turn();
    expect(session.peer.take()).toBe('');
    release?.();
    expect(codes(await session.say('', 1006))).toEqual([
      250,
      ...new Array<number>(5).fill(200),
      ...new Array<number>(1000).fill(257),
    ]);
    expect(resume.mock.calls.length).toBe(pause.mock.calls.length);
  });

  test('a peer that takes no replies is not served more commands', async () => {
    const session = await playLoggedIn();
    session.peer.reading = false;
    session.peer.send('HELP\r\n'.repeat(10_000));
    expect(session.connection.unsentBytes).toBeLessThan(64 * 1024);
    session.peer.reading = true;
    await session.say('', 10_000);
  });
});

test('options of Telnet are refused, 32 of them on one connection', async () => {
  const session = play();
  await session.say('', 1);
  const refusals = async (count: number): Promise<string> => {
    for (let sent = 0; sent < count; sent += 1) session.peer.send(Uint8Array.of(255, 253, 24));
    await turn();
    return session.peer.take();
  };
  const one = (await refusals(1)).length;
  expect(one).toBeGreaterThan(0);
  expect((await refusals(32)).length).toBe(31 * one);
  expect(codes(await session.say('NOOP\r\n'))).toEqual([200]);
});

describe('a file system that fails', () => {
  test('is answered with fixed words, never with its own', async () => {
    const broken: FileSystem = {
      ...memoryFileSystem(),
      stat: () => Promise.reject(new Error('/srv/secret is on fire')),
    };
    const session = await playLoggedIn({ fileSystem: broken });
    expect(await session.say('CWD /\r\n')).toBe('451 A local error occurred.\r\n');
  });
});

describe('draining', () => {
  test('an idle session is told 421 and ended', async () => {
    const session = await playLoggedIn();
    session.connection.startDrain();
    expect(codes(session.peer.take())).toEqual([421]);
    expect(session.peer.sawEnd).toBe(true);
  });
});

test('a connection that is no Internet connection is refused, for it can have no data connections', async () => {
  const memory = serveInMemory(ftpProtocol({ fileSystem: memoryFileSystem() }), {
    local: { family: 'unix', path: '/x' },
    remote: { family: 'unix', path: '' },
  });
  expect(codes(memory.peer.take())).toEqual([421]);
});
