// Two supervisors, each with a worker of its own, and a real Redis between them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  connectClient,
  eventually,
  lacks,
  runProgram,
  startProgram,
  type Program,
  type ProgramOptions,
} from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { LimitsExchange } from '@wellknown/core';
import { programArguments } from '../../../test/programs.ts';
import { redisLimits } from '../src/index.ts';
import { createRedisServer, type RedisServer } from './redis-server.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function redis(options: readonly string[] = []): RedisServer {
  const server = createRedisServer(options);
  ending.push(() => server.remove());
  return server;
}

async function start(url: string, argv: readonly string[], options: ProgramOptions = {}): Promise<Program> {
  const program = await startProgram(
    [...WELLKNOWN, ...argv, '--listen', 'tcp://127.0.0.1:0', '--limits', url],
    options,
  );
  ending.push(() => program.stop());
  return program;
}

const shared = 'limits are shared with other machines';
/** How often it has said so. */
const said = (program: Program, text: string): number => program.stderr().split(text).length - 1;
const isShared = (program: Program, times = 1): Promise<unknown> => eventually(() => said(program, shared) === times);

const endpointOf = (program: Program): string => Object.values(program.endpoints)[0]?.[0] ?? '';

/** What the server says first: its greeting, or that it refuses. */
async function greeting(program: Program): Promise<string> {
  const client = await connectClient(endpointOf(program));
  const line = await client.receive(/\r\n/);
  client.reset();
  return line;
}

async function failLogin(program: Program): Promise<string> {
  const client = await connectClient(endpointOf(program));
  await client.receive(/^220 .*\r\n/m);
  client.send('USER someone\r\n');
  await client.receive(/\r\n/);
  client.send('PASS wrong\r\n');
  const answer = await client.receive(/\r\n/);
  client.reset();
  return answer;
}

const FTP = ['ftp', '--account', 'someone:right', '--ban-after', '3', '--workers', '1'];

describe.skipIf(lacks('redis-server'))('through a Redis', () => {
  test('an address that one machine has banned is banned at the other, and at one that starts later', async () => {
    const server = redis();
    await server.start();
    const [one, two] = [await start(server.url, FTP), await start(server.url, FTP)];
    await isShared(one);
    await isShared(two);
    expect(await failLogin(one)).toMatch(/^530 /);
    expect(await failLogin(two)).toMatch(/^530 /);
    expect(await greeting(two)).toMatch(/^220 /);
    await failLogin(one);
    await eventually(async () => (await greeting(two)).startsWith('421 '));
    const three = await start(server.url, FTP);
    await eventually(async () => (await greeting(three)).startsWith('421 '));
    // Who shares nothing with these does not know.
    const other = await start(`${server.url}?prefix=other`, FTP);
    await isShared(other);
    expect(await greeting(other)).toMatch(/^220 /);
  });

  test('connections of one address are counted over both machines', async () => {
    const server = redis();
    await server.start();
    const argv = ['echo', '--max-connections-per-ip', '4', '--workers', '1'];
    const [one, two] = [await start(server.url, argv), await start(server.url, argv)];
    await isShared(one);
    await isShared(two);
    for (let index = 0; index < 4; index += 1) {
      const client = await connectClient(endpointOf(one));
      ending.push(() => client.reset());
      client.send('a');
      await client.receive('a');
    }
    const isEchoed = async (program: Program): Promise<boolean> => {
      const client = await connectClient(endpointOf(program));
      client.send('a');
      client.end();
      return (await client.receiveAll()) === 'a';
    };
    await eventually(async () => !(await isEchoed(two)));
  });

  test('without it each machine counts for itself and says so, and with it again they share again', async () => {
    const server = redis();
    // It is not there at the start either.
    const control = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-redis-control-')), 'control');
    ending.push(() => rmSync(path.dirname(control), { recursive: true }));
    const [one, two] = [await start(server.url, [...FTP, '--control', control]), await start(server.url, FTP)];
    const status = async (): Promise<string> =>
      (await runProgram([...WELLKNOWN, 'status', '--control', control])).stdout;
    const lost = 'the exchange of limits is lost';
    await eventually(() => said(one, lost) === 1);
    await eventually(async () => /^limits are those of this machine alone: .* \d+ messages/m.test(await status()));
    for (let login = 0; login < 3; login += 1) expect(await failLogin(one)).toMatch(/^530 /);
    await eventually(async () => (await greeting(one)).startsWith('421 '));
    expect(await greeting(two)).toMatch(/^220 /);
    await server.start();
    await isShared(one);
    await isShared(two);
    await eventually(async () => /^limits are shared with other machines$/m.test(await status()));
    await eventually(async () => (await greeting(two)).startsWith('421 '));
    // It begins empty, and is told.
    await server.stop();
    await eventually(() => said(one, lost) === 2 && said(two, lost) === 2);
    await server.start();
    await isShared(one, 2);
    await isShared(two, 2);
    const three = await start(server.url, FTP);
    await eventually(async () => (await greeting(three)).startsWith('421 '));
  });

  test('the password comes from the environment, and none is logged', async () => {
    const server = redis(['--requirepass', 'long secret']);
    await server.start();
    const right = await start(server.url, FTP, { env: { WELLKNOWN_LIMITS_PASSWORD: 'long secret' } });
    await isShared(right);
    const wrong = await start(server.url, FTP, { env: { WELLKNOWN_LIMITS_PASSWORD: 'no secret' } });
    await eventually(() => said(wrong, 'the exchange of limits is lost') === 1);
    expect(await greeting(wrong)).toMatch(/^220 /);
    for (const program of [right, wrong]) expect(program.stderr()).not.toContain('secret');
  });

  test('a server without workers takes part', async () => {
    const server = redis();
    await server.start();
    const argv = [...FTP.slice(0, -1), '0'];
    const [one, two] = [await start(server.url, argv), await start(server.url, FTP)];
    await isShared(one);
    await isShared(two);
    for (let login = 0; login < 3; login += 1) await failLogin(one);
    await eventually(async () => (await greeting(two)).startsWith('421 '));
    expect(await greeting(one)).toMatch(/^421 /);
  });
});

describe('a Redis that is there and does not do its part', () => {
  const LIMITED = [
    'resetkeys',
    '~wellknown:bans',
    'resetchannels',
    '&wellknown:limits',
    '-@all',
    '+@connection',
    '+subscribe',
  ];
  const may = (server: RedisServer, ...rights: readonly string[]): string =>
    server.command('acl', 'setuser', 'default', ...rights);

  interface Exchange {
    readonly exchange: LimitsExchange;
    readonly connected: () => number;
    readonly lost: unknown[];
    readonly refused: unknown[];
  }

  function open(url: string): Exchange {
    const exchange = redisLimits({ url });
    let connected = 0;
    const lost: unknown[] = [];
    const refused: unknown[] = [];
    exchange.open({
      connected: () => (connected += 1),
      lost: (error) => void lost.push(error),
      refused: (error) => void refused.push(error),
      received: () => undefined,
    });
    ending.push(() => exchange.close());
    return { exchange, connected: () => connected, lost, refused };
  }

  const ban = { type: 'ban', service: 'ftp', key: '192.0.2.1', forMs: 60_000 } as const;

  test('and answers nothing is lost, and found again', async () => {
    const server = redis();
    await server.start();
    const { exchange, connected, lost } = open(server.url);
    await eventually(() => connected() === 1);
    server.pause();
    await eventually(() => lost.length === 1);
    expect(exchange.tell(ban)).toBe(false);
    server.goOn();
    await eventually(() => connected() === 2);
    expect(exchange.tell(ban)).toBe(true);
    await eventually(() => server.command('zcard', 'wellknown:bans') === '1');
  });

  test('and refuses what it is told: each refusal is told, and what is allowed goes on', async () => {
    const server = redis();
    await server.start();
    may(server, ...LIMITED, '+time', '+zremrangebyscore', '+zrange', '+zadd');
    const { exchange, connected, lost, refused } = open(server.url);
    await eventually(() => connected() === 1);
    expect(exchange.tell(ban)).toBe(true);
    await eventually(() => refused.length === 1);
    expect(String(refused[0])).toContain('NOPERM');
    await eventually(() => server.command('zcard', 'wellknown:bans') === '1');
    expect(lost).toEqual([]);
  });

  test('and refuses to show the bans: it is connected all the same, and they are read once it may', async () => {
    const server = redis();
    await server.start();
    server.command('zadd', 'wellknown:bans', String(Date.now() + 3_600_000), '["ftp","192.0.2.9"]');
    may(server, ...LIMITED, '+publish', '+time', '+zadd', '+zrange');
    const received: unknown[] = [];
    const refused: unknown[] = [];
    const exchange = redisLimits({ url: server.url });
    let connected = 0;
    exchange.open({
      connected: () => (connected += 1),
      lost: () => undefined,
      refused: (error) => void refused.push(error),
      received: (_, news) => void received.push(news),
    });
    ending.push(() => exchange.close());
    await eventually(() => connected === 1 && refused.length > 0);
    may(server, '+zremrangebyscore');
    await eventually(() => received.length === 1);
    expect(received).toMatchObject([{ type: 'ban', service: 'ftp', key: '192.0.2.9' }]);
  });
});

test('a URL that is none is refused before anything is bound', async () => {
  const { status, stderr } = await runProgram([...WELLKNOWN, 'http', '--limits', 'cache:6379']);
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr:
      "wellknown http: --limits: the URL is 'cache:6379', allowed is redis://HOST:PORT, rediss://HOST:PORT or redis+socket:PATH\n",
  });
  expect(() => redisLimits({ url: 'cache' })).toThrow('is no URL');
});
