import net from 'node:net';
import { createFakeClock, eventually, unusedAddress } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { createFtpServer, memoryFileSystem, type FileSystem, type TransferReport } from '../src/index.ts';
import { connectTo, openSession, readAll, withServer, type FtpSession } from './ftp-session.ts';

const BIG = Buffer.alloc(8 * 1024 * 1024, 'abcdefghij');
// An address where no other process listens: a port that is free again is not taken by a test that runs meanwhile.
const { host: OWN_HOST } = await unusedAddress();
const bigFile = (): FileSystem =>
  memoryFileSystem({ files: { '/big': BIG, '/a.txt': 'hello\nworld\n', '/dir/b': 'b' } });

describe('a download', () => {
  test('arrives byte for byte, and 226 comes after it', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      expect(await session.say('RETR big')).toBe(
        `150 Opening BINARY mode data connection for big (${BIG.length} bytes).\r\n`,
      );
      expect((await readAll(data)).equals(BIG)).toBe(true);
      expect(await session.hear()).toMatch(/^226 /);
    }));

  test('goes on where REST says, and not beyond the end', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      for (const [position, expected] of [
        [6, 'world\n'],
        [12, ''],
      ] as const) {
        const data = await session.openData();
        expect(await session.say(`REST ${position}`)).toMatch(/^350 /);
        expect(await session.say('RETR a.txt')).toMatch(/^150 /);
        expect(String(await readAll(data))).toBe(expected);
        expect(await session.hear()).toMatch(/^226 /);
      }
      await session.openData();
      await session.say('REST 13');
      expect(await session.say('RETR a.txt')).toMatch(/^554 /);
    }));

  test('in TYPE A ends its lines with CR LF', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      await session.say('TYPE A');
      const data = await session.openData();
      await session.say('RETR a.txt');
      expect(String(await readAll(data))).toBe('hello\r\nworld\r\n');
      expect(await session.hear()).toMatch(/^226 /);
    }));

  test.each([
    ['RETR none', 550],
    ['RETR dir', 550],
    ['LIST none', 550],
    ['MLSD none', 550],
    ['MLSD a.txt', 501],
    ['STOR none/x', 550],
    ['STOR dir', 550],
  ])('%s is refused with %i before the data connection is used, which is closed', (line, code) =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      expect(await session.say(line)).toMatch(new RegExp(`^${code} `));
      expect(await readAll(data)).toHaveLength(0);
      expect(await session.say('NOOP')).toMatch(/^200 /);
    }),
  );

  test('STAT is answered in its middle, and ABOR ends it with 426 and then 226', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      data.pause();
      expect(await session.say('RETR big')).toMatch(/^150 /);
      expect(await session.say('STAT')).toMatch(/Transfer in progress, \d+ bytes so far/);
      session.client.send(Uint8Array.of(0xff, 0xf4, 0xff, 0xf2));
      expect(await session.say('ABOR')).toMatch(/^426 /);
      expect(await session.hear()).toMatch(/^226 Abort/);
      expect((await readAll(data)).length).toBeLessThan(BIG.length);
      expect(await session.say('ABOR')).toMatch(/^225 /);
      expect(await session.say('STAT')).toContain('No transfer in progress');
    }));

  test('commands pipelined behind it wait for its end, QUIT too', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      session.client.send('RETR a.txt\r\nPWD\r\nQUIT\r\n');
      expect(String(await readAll(data))).toBe('hello\nworld\n');
      const all = await session.client.receiveAll();
      expect(all.match(/^\d{3}/gm)).toEqual(['150', '226', '257', '221']);
    }));

  test('that the client breaks off is answered 426, and the session goes on', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      await session.say('RETR big');
      data.resetAndDestroy();
      expect(await session.hear()).toMatch(/^426 /);
      expect(await session.say('NOOP')).toMatch(/^200 /);
    }));

  test('without a data connection gets 425 once the time is up', async () => {
    const clock = createFakeClock();
    await withServer({ fileSystem: bigFile(), clock }, async (url) => {
      const session = await openSession(url);
      await session.say('EPSV');
      expect(await session.say('RETR big')).toMatch(/^150 /);
      clock.advance(30_000);
      expect(await session.hear()).toMatch(/^425 /);
    });
  });

  test('may finish while the server drains, and then the session ends with 421', () =>
    withServer({ fileSystem: bigFile() }, async (url, server) => {
      const session = await openSession(url);
      const data = await session.openData();
      data.pause();
      await session.say('RETR big');
      const closed = server.close({ graceMs: 20_000 });
      expect((await readAll(data)).equals(BIG)).toBe(true);
      expect(await session.hear()).toMatch(/^226 /);
      expect(await session.hear()).toMatch(/^421 /);
      await closed;
    }));
});

describe('an upload', () => {
  const uploading = async (url: string, line: string, bytes: Uint8Array, type = 'TYPE I'): Promise<string> => {
    const session = await openSession(url);
    await session.say(type);
    const data = await session.openData();
    expect(await session.say(line)).toMatch(/^150 /);
    data.end(bytes);
    const answer = await session.hear();
    data.destroy();
    return answer;
  };
  const contentOf = async (files: FileSystem, at: string): Promise<Buffer | string> => {
    const source = await files.read(at, { startBytes: 0 });
    if (!source.ok) return source.error;
    const into = Buffer.alloc(source.value.sizeBytes + 1);
    const length = await source.value.read(into);
    return length.ok ? into.subarray(0, length.value) : length.error;
  };

  test('arrives byte for byte before 226, and is reported with its user', async () => {
    const fileSystem = memoryFileSystem();
    const reports: TransferReport[] = [];
    await withServer({ fileSystem, onTransfer: (report) => reports.push(report) }, async (url) => {
      expect(await uploading(url, 'STOR up', BIG)).toMatch(/^226 /);
      expect(BIG.equals((await contentOf(fileSystem, '/up')) as Buffer)).toBe(true);
      expect(reports).toMatchObject([
        {
          user: 'ann',
          direction: 'upload',
          path: '/up',
          bytes: BIG.length,
          isComplete: true,
          remoteAddress: '127.0.0.1',
        },
      ]);
    });
  });

  test('in TYPE A ends its lines with LF, and APPE goes on at the end', async () => {
    const fileSystem = memoryFileSystem();
    await withServer({ fileSystem }, async (url) => {
      await uploading(url, 'STOR up', Buffer.from('a\r\nb\r'), 'TYPE A');
      await uploading(url, 'APPE up', Buffer.from('c'));
      expect(String(await contentOf(fileSystem, '/up'))).toBe('a\nb\rc');
    });
  });

  test('by STOU gets a name of its own, told in the 150', async () => {
    const fileSystem = memoryFileSystem();
    await withServer({ fileSystem }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      const name = /^150 FILE: (\S+)\r\n$/.exec(await session.say('STOU'))?.[1] ?? '';
      data.end('x');
      expect(await session.hear()).toMatch(/^226 /);
      expect(String(await contentOf(fileSystem, `/${name}`))).toBe('x');
      data.destroy();
    });
  });

  const breakOff: Record<string, (session: FtpSession, data: net.Socket) => Promise<string>> = {
    'a reset of its data connection': (session, data) => {
      data.resetAndDestroy();
      return session.hear();
    },
    ABOR: (session) => session.say('ABOR'),
    'the end of the session': async (session) => {
      session.client.reset();
      await session.client.closed;
      return '';
    },
  };

  test.each([
    ['a reset of its data connection', /^426 /],
    ['ABOR', /^426 /],
    ['the end of the session', /^$/],
  ])('that is broken off by %s leaves no file', async (how, answer) => {
    const fileSystem = memoryFileSystem();
    const reports: TransferReport[] = [];
    await withServer({ fileSystem, onTransfer: (report) => reports.push(report) }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      await session.say('STOR up');
      data.write('half');
      await eventually(async () => (await session.say('STAT')).includes(' 4 bytes so far'));
      expect(await breakOff[how]?.(session, data)).toMatch(answer);
      await eventually(() => reports.length > 0);
      data.destroy();
      expect(await contentOf(fileSystem, '/up')).toBe('not-found');
      expect(reports).toMatchObject([{ path: '/up', bytes: 4, isComplete: false }]);
    });
  });

  test('for which there is no room is answered 452', () =>
    withServer({ fileSystem: memoryFileSystem({ maxBytes: 1000 }) }, async (url) => {
      expect(await uploading(url, 'STOR up', Buffer.alloc(1001))).toMatch(/^452 /);
      expect(await uploading(url, 'STOR up', Buffer.alloc(1000))).toMatch(/^226 /);
    }));
});

describe('the passive port', () => {
  test("is the client's alone: a peer from another address is dropped, and the client is served after it", () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const port = Number(/\|\|\|(\d+)\|/.exec(await session.say('EPSV'))?.[1]);
      const stranger = await connectTo(port, '127.0.0.2');
      expect(await readAll(stranger)).toHaveLength(0);
      const data = await connectTo(port);
      await session.say('RETR a.txt');
      expect(String(await readAll(data))).toBe('hello\nworld\n');
      expect(await session.hear()).toMatch(/^226 /);
    }));

  test('takes one connection and is then closed', () =>
    withServer({ fileSystem: bigFile(), listen: `tcp://${OWN_HOST}:0` }, async (url) => {
      const session = await openSession(url);
      const port = Number(/\|\|\|(\d+)\|/.exec(await session.say('EPSV'))?.[1]);
      const data = await connectTo(port, undefined, OWN_HOST);
      await session.say('RETR a.txt');
      await readAll(data);
      await session.hear();
      await expect(connectTo(port, undefined, OWN_HOST)).rejects.toThrow('ECONNREFUSED');
    }));

  test('is given up by the next PASV, by PORT, by REIN and with the session', () =>
    withServer({ listen: `tcp://${OWN_HOST}:0` }, async (url) => {
      for (const line of ['EPSV', 'PORT 127,0,0,1,200,0', 'REIN', 'QUIT']) {
        const session = await openSession(url);
        const port = Number(/\|\|\|(\d+)\|/.exec(await session.say('EPSV'))?.[1]);
        await session.say(line);
        await expect(connectTo(port, undefined, OWN_HOST), line).rejects.toThrow('ECONNREFUSED');
      }
    }));

  test('comes from the configured range; when that is used up the answer is 425, and a port that is given back is used again', async () => {
    const { host, port } = await unusedAddress();
    await withServer(
      { listen: `tcp://${host}:0`, passivePorts: { from: port, to: port }, passiveAddress: '203.0.113.5' },
      async (url) => {
        const first = await openSession(url);
        const second = await openSession(url);
        expect(await first.say('PASV')).toBe(`227 Entering Passive Mode (203,0,113,5,${port >> 8},${port & 255})\r\n`);
        expect(await second.say('PASV')).toMatch(/^425 /);
        expect(await first.say('REIN')).toMatch(/^220 /);
        expect(await second.say('PASV')).toMatch(/^227 /);
      },
    );
  });

  test("and its connection are the server's to show: counted as `secondary`, and listed as a pair", () =>
    withServer({ fileSystem: bigFile() }, async (url, server) => {
      const session = await openSession(url);
      const port = Number(/\|\|\|(\d+)\|/.exec(await session.say('EPSV'))?.[1]);
      const stranger = await connectTo(port, '127.0.0.2');
      await readAll(stranger);
      const data = await connectTo(port);
      await session.say('STOR up');
      const secondary = async () => (await server.status()).services[0]?.listeners.find(isSecondary)?.connections;
      const isSecondary = ({ endpoint }: { readonly endpoint: string }): boolean => endpoint === 'secondary';
      expect(await secondary()).toEqual({ open: 1, waiting: 0, accepted: 2, closed: { denied: 1 } });
      expect((await server.status()).services[0]?.pairs).toContainEqual(
        expect.objectContaining({ local: `127.0.0.1:${port}`, remote: `127.0.0.1:${data.localPort}`, state: 'open' }),
      );
      data.end();
      expect(await session.hear()).toMatch(/^226 /);
      await readAll(data);
      await eventually(async () => (await secondary())?.open === 0);
      expect(await secondary()).toMatchObject({ closed: { denied: 1, finished: 1 } });
    }));

  test('hands over a small listing without waiting for a timer: the clock stands still', () =>
    withServer({ fileSystem: bigFile(), clock: createFakeClock() }, async (url) => {
      const session = await openSession(url);
      for (let round = 0; round < 3; round += 1) {
        const data = await session.openData();
        await session.say('NLST');
        expect(String(await readAll(data))).toBe('big\r\na.txt\r\ndir\r\n');
        expect(await session.hear()).toMatch(/^226 /);
      }
    }));
});

describe('active mode', () => {
  test.each(['PORT', 'EPRT'])('%s makes the server connect, and only when the transfer command comes', (verb) =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const accepted: net.Socket[] = [];
      const listener = net.createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
      await new Promise((resolve) => listener.once('listening', resolve));
      const { port } = listener.address() as net.AddressInfo;
      expect(
        await session.say(verb === 'PORT' ? `PORT 127,0,0,1,${port >> 8},${port & 255}` : `EPRT |1|127.0.0.1|${port}|`),
      ).toMatch(/^200 /);
      expect(await session.say('NOOP')).toMatch(/^200 /);
      expect(accepted).toHaveLength(0);
      expect(await session.say('LIST dir')).toMatch(/^150 /);
      await eventually(() => accepted.length > 0);
      expect(String(await readAll(accepted[0]!))).toMatch(/^-rw-r--r-- .* b\r\n$/);
      expect(await session.hear()).toMatch(/^226 /);
      await new Promise((resolve) => listener.close(resolve));
    }),
  );

  test('to a port where nothing listens is answered 425', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const session = await openSession(url);
      const probe = await session.openData();
      const port = probe.localPort ?? 0;
      probe.destroy();
      await session.say(`PORT 127,0,0,1,${port >> 8},${port & 255}`);
      expect(await session.say('LIST')).toMatch(/^150 /);
      expect(await session.hear()).toMatch(/^425 /);
    }));
});

test('over IPv6, EPSV and EPRT work and PASV says what to use', async () => {
  const server = createFtpServer({ fileSystem: bigFile(), anonymous: true, listen: 'tcp://[::1]:0' });
  const [bound] = await server.listen();
  const session = await openSession(bound?.url ?? '', 'anonymous');
  expect(await session.say('PASV')).toMatch(/^425 /);
  expect(await session.say('EPSV 1')).toBe('522 Network protocol not supported, use (2)\r\n');
  const port = Number(/\|\|\|(\d+)\|/.exec(await session.say('EPSV 2'))?.[1]);
  const data = net.connect({ host: '::1', port });
  await session.say('RETR a.txt');
  expect(String(await readAll(data))).toBe('hello\nworld\n');
  await server.close({ graceMs: 0 });
});

describe('passive ports', () => {
  test('a session waits for one that another has, and is told the exposed one', async () => {
    const { host, port } = await unusedAddress();
    const passivePorts = { from: port, to: port, exposedFrom: 40_000 };
    await withServer({ fileSystem: bigFile(), listen: `tcp://${host}:0`, passivePorts }, async (url) => {
      const first = await openSession(url);
      expect(await first.say('EPSV')).toContain('(|||40000|)');
      const second = await openSession(url);
      second.client.send('PASV\r\n');
      const data = await connectTo(port, undefined, host);
      await first.say('RETR a.txt');
      await readAll(data);
      expect(await second.hear()).toContain(`(${host.replaceAll('.', ',')},156,64)`);
    });
  });

  test('are told with the address for the network of the client', async () => {
    const passiveAddress = { '127.0.0.0/8': '203.0.113.5', '0.0.0.0/0': '203.0.113.6' };
    await withServer({ fileSystem: bigFile(), passiveAddress }, async (url) => {
      expect(await (await openSession(url)).say('PASV')).toContain('(203,0,113,5,');
    });
    await withServer({ fileSystem: bigFile(), passiveAddress: () => 'localhost' }, async (url) => {
      expect(await (await openSession(url)).say('PASV')).toContain('(127,0,0,1,');
    });
  });

  test('take a connection from another address where the server says so', async () => {
    for (const dataPeers of ['any', ['127.0.0.2/31']] as const)
      await withServer({ fileSystem: bigFile(), dataPeers }, async (url) => {
        const session = await openSession(url);
        const data = await session.openData({ localAddress: '127.0.0.2' });
        expect(await session.say('RETR a.txt')).toMatch(/^150 /);
        expect(String(await readAll(data))).toBe('hello\nworld\n');
      });
  });
});

test('options that cannot work are refused at the start', () => {
  const fileSystem = memoryFileSystem();
  for (const passiveAddress of [
    '999.1.1.1',
    'a b',
    '2001:db8::1',
    { '10.0.0.0/8': 'x y' },
    { '10.0.0.1/8': '192.0.2.1' },
  ])
    expect(() => createFtpServer({ fileSystem, passiveAddress })).toThrow('passiveAddress');
  expect(() => createFtpServer({ fileSystem, dataPeers: ['10.0.0.0/40'] })).toThrow('dataPeers');
  expect(() => createFtpServer({ fileSystem, passivePorts: { from: 1, to: 9, exposedFrom: 65_530 } })).toThrow(
    'exposedFrom',
  );
  expect(() => createFtpServer({ fileSystem, siteCommands: { CHMOD: { run: () => '' } } })).toThrow('CHMOD');
  expect(() => createFtpServer({ fileSystem, passiveAddress: 'ftp://x' })).toThrow('not an IPv4 address');
  for (const [from, to] of [
    [0, 5],
    [5, 4],
    [1, 65_536],
    [1.5, 2],
  ] as const)
    expect(() => createFtpServer({ fileSystem, passivePorts: { from, to } })).toThrow('passivePorts');
});

describe('in the middle of a download', () => {
  const begin = async (url: string): Promise<{ session: FtpSession; data: net.Socket }> => {
    const session = await openSession(url);
    const data = await session.openData();
    data.pause();
    expect(await session.say('RETR big')).toMatch(/^150 /);
    return { session, data };
  };

  test('NOOP and STAT are answered at once, other commands in their turn', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const { session, data } = await begin(url);
      expect(await session.say('NOOP')).toMatch(/^200 /);
      expect(await session.say('STAT')).toMatch(/^211-/);
      session.client.send('PWD\r\nNOOP\r\n');
      expect((await readAll(data)).length).toBe(BIG.length);
      expect(await session.hear()).toMatch(/^226 /);
      expect(await session.hear()).toMatch(/^257 /);
      expect(await session.hear()).toMatch(/^200 /);
    }));

  test('QUIT is answered at once, and the connection ends with the result of the transfer', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const { session, data } = await begin(url);
      expect(await session.say('QUIT')).toMatch(/^221 /);
      session.client.send('NOOP\r\n');
      expect((await readAll(data)).length).toBe(BIG.length);
      expect(await session.client.receiveAll()).toMatch(/^226 [^\n]*\n$/);
    }));

  test('REIN is answered at once, the transfer goes on, and nobody is logged in meanwhile', () =>
    withServer({ fileSystem: bigFile() }, async (url) => {
      const { session, data } = await begin(url);
      expect(await session.say('REIN')).toMatch(/^220 /);
      expect(await session.say('PWD')).toMatch(/^530 /);
      expect((await readAll(data)).length).toBe(BIG.length);
      expect(await session.hear()).toMatch(/^226 /);
      expect(await session.say('PWD')).toMatch(/^530 /);
      await session.say('USER ann');
      expect(await session.say('PASS secret')).toMatch(/^230 /);
    }));

  test('a file that ends before its announced size is answered 451', () => {
    const files = bigFile();
    const shrinking: FileSystem = {
      ...files,
      async read(at, options) {
        const source = await files.read(at, options);
        return source.ok ? { ok: true, value: { ...source.value, sizeBytes: source.value.sizeBytes + 1 } } : source;
      },
    };
    return withServer({ fileSystem: shrinking }, async (url) => {
      const session = await openSession(url);
      const data = await session.openData();
      await session.say('RETR a.txt');
      await readAll(data);
      expect(await session.hear()).toMatch(/^451 /);
    });
  });
});
