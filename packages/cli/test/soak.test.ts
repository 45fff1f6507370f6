// Loss and order told honestly: the prober, the echo and the network between them count the same. Two network
// namespaces where they can be made (root, iproute2), otherwise loopback; netem where the kernel has it, and always a
// bad network of our own. WELLKNOWN_SOAK_SECONDS makes it longer than the three seconds that it takes by default.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programArguments } from '../../../test/programs.ts';

const SECONDS = Number(process.env.WELLKNOWN_SOAK_SECONDS ?? 3);
const INTERVAL_SECONDS = 0.002;

const NEAR = { namespace: `wk-near-${process.pid}`, address: '10.213.7.1', link: 'veth0', mac: '02:00:00:00:07:01' };
/** A second address of the far end, by which the routing table would not answer. */
const FAR_SECOND_ADDRESS = '10.213.7.3';
const FAR = { namespace: `wk-far-${process.pid}`, address: '10.213.7.2', link: 'veth0', mac: '02:00:00:00:07:02' };
type Place = typeof NEAR;

const sh = (...words: string[]): boolean => spawnSync(words[0] ?? '', words.slice(1), { stdio: 'ignore' }).status === 0;

/** Two machines and a cable. Neighbours are known beforehand, so that only our datagrams are on it. */
function makeNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const inside = (place: Place, ...words: string[]): string[] => ['ip', '-n', place.namespace, ...words];
  return [
    ['ip', 'netns', 'add', NEAR.namespace],
    ['ip', 'netns', 'add', FAR.namespace],
    [
      'ip',
      'link',
      'add',
      NEAR.link,
      'netns',
      NEAR.namespace,
      'address',
      NEAR.mac,
      'type',
      'veth',
      'peer',
      'name',
      FAR.link,
      'netns',
      FAR.namespace,
      'address',
      FAR.mac,
    ],
    ...[NEAR, FAR].flatMap((place) => [
      ['ip', 'netns', 'exec', place.namespace, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true'],
      inside(place, 'addr', 'add', `${place.address}/24`, 'dev', place.link),
      inside(place, 'link', 'set', 'lo', 'up'),
      inside(place, 'link', 'set', place.link, 'up'),
    ]),
    inside(FAR, 'addr', 'add', `${FAR_SECOND_ADDRESS}/24`, 'dev', FAR.link),
    ...[FAR.address, FAR_SECOND_ADDRESS].map((address) =>
      inside(NEAR, 'neigh', 'replace', address, 'lladdr', FAR.mac, 'dev', NEAR.link, 'nud', 'permanent'),
    ),
    inside(FAR, 'neigh', 'replace', NEAR.address, 'lladdr', NEAR.mac, 'dev', FAR.link, 'nud', 'permanent'),
  ].every((words) => sh(...words));
}

const hasNamespaces = makeNamespaces();
const netem = ['delay', '8ms', '5ms', 'loss', '5%', 'limit', '10000'];
const addNetem = (place: Place): boolean =>
  sh('ip', 'netns', 'exec', place.namespace, 'tc', 'qdisc', 'replace', 'dev', place.link, 'root', 'netem', ...netem);
const removeNetem = (place: Place): boolean =>
  sh('ip', 'netns', 'exec', place.namespace, 'tc', 'qdisc', 'del', 'dev', place.link, 'root');
const hasNetem = hasNamespaces && addNetem(NEAR) && removeNetem(NEAR);
if (!hasNamespaces) console.log('network namespaces need root and iproute2: the soak test runs over loopback');
if (!hasNetem) console.log(`skipped: ${hasNamespaces ? 'this kernel has no netem' : 'netem needs network namespaces'}`);

afterAll(() => {
  for (const { namespace } of [NEAR, FAR]) sh('ip', 'netns', 'del', namespace);
});

const within = (place: Place, words: readonly string[]): string[] =>
  hasNamespaces ? ['ip', 'netns', 'exec', place.namespace, ...words] : [...words];
const addressOf = (place: Place): string => (hasNamespaces ? place.address : '127.0.0.1');

interface Counting {
  readonly port: string;
  /** Ends it, and gives what it has counted. */
  counts(): Promise<Record<string, number>>;
}

const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

function startCounting(place: Place, name: string, ...args: string[]): Promise<Counting> {
  return startOn(place, addressOf(place), name, ...args);
}

function startOn(place: Place, address: string, name: string, ...args: string[]): Promise<Counting> {
  const [command = '', ...rest] = within(place, [
    process.execPath,
    ...programArguments(`packages/cli/test/fixtures/${name}.ts`),
    address,
    ...args,
  ]);
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  running.push(child);
  let output = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    void ended.then(() => reject(new Error(`${name} ended: ${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const port = /^ready (\d+)$/m.exec(output)?.[1];
      if (port === undefined) return;
      resolve({
        port,
        async counts() {
          child.stdin.end();
          await ended;
          return JSON.parse(output.slice(output.indexOf('{'))) as Record<string, number>;
        },
      });
    });
  });
}

function ping(
  port: string,
  timeoutSeconds: number,
  address = addressOf(FAR),
  seconds = SECONDS,
): Promise<Record<string, number>> {
  const [command = '', ...rest] = within(NEAR, [
    process.execPath,
    ...programArguments('packages/cli/src/main.ts'),
    'ping',
    `udp://${address}:${port}`,
    '--json',
    '--size',
    '200',
    '--timeout',
    String(timeoutSeconds),
    '--interval',
    String(INTERVAL_SECONDS),
    '--count',
    String(Math.round(seconds / INTERVAL_SECONDS)),
  ]);
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('close', (status) => {
      if (output === '') reject(new Error(`ping ended with status ${status ?? 'none'} and said nothing`));
      else resolve(JSON.parse(output) as Record<string, number>);
    });
  });
}

describe(`over ${hasNamespaces ? 'two network namespaces' : 'loopback'}`, { timeout: 60_000 + SECONDS * 2_000 }, () => {
  test('a clean network loses nothing, changes nothing, and all count the same', async () => {
    const echo = await startCounting(FAR, 'counting-echo-program');
    const seen = await ping(echo.port, 10);
    expect(seen).toMatchObject({
      received: seen.sent,
      lost: 0,
      duplicates: 0,
      reordered: 0,
      late: 0,
      corrupted: 0,
      droppedHere: 0,
    });
    expect(await echo.counts()).toMatchObject({ received: seen.sent, sent: seen.sent, droppedByKernel: 0 });
  });

  test.runIf(hasNamespaces)(
    'an echo on all addresses answers from the one that was asked, also where the routing table prefers another',
    async () => {
      const echo = await startOn(FAR, '', 'counting-echo-program');
      for (const address of [FAR.address, FAR_SECOND_ADDRESS])
        expect(await ping(echo.port, 10, address, 0.1)).toMatchObject({ lost: 0, late: 0 });
    },
  );

  test('a network that loses, doubles and reorders: prober, network and echo agree to the last datagram', async () => {
    const echo = await startCounting(FAR, 'counting-echo-program');
    const network = await startCounting(FAR, 'bad-network-program', addressOf(FAR), echo.port, '4711');
    const seen = await ping(network.port, 2);
    const did = await network.counts();
    const answered = await echo.counts();
    expect(did.fromClient).toBe(seen.sent);
    expect(answered).toMatchObject({
      received: did.toServer,
      sent: did.fromServer,
      droppedByKernel: 0,
      failedSends: 0,
    });
    expect(did.toServer).toBe(did.fromClient! - did.lostThere! + did.doubledThere!);
    // Every answer that reached the prober is counted once: in time, again, or late.
    expect(seen.received! + seen.duplicates! + seen.late!).toBe(did.toClient);
    expect(seen.sent).toBe(seen.received! + seen.lost!);
    // About one in ten does not come back (5% each way), less what was doubled.
    expect(seen.lost! / seen.sent!).toBeGreaterThan(0.06);
    expect(seen.lost! / seen.sent!).toBeLessThan(0.14);
    expect(seen.duplicates).toBeGreaterThan(0);
    expect(seen.reordered! / seen.received!).toBeGreaterThan(0.1);
    expect(seen.corrupted).toBe(0);
  });
});

describe.runIf(hasNetem)('with netem', { timeout: 60_000 + SECONDS * 2_000 }, () => {
  beforeAll(() => {
    addNetem(NEAR);
    addNetem(FAR);
  });
  afterAll(() => {
    removeNetem(NEAR);
    removeNetem(FAR);
  });

  const dropped = (place: Place): number => {
    const text = spawnSync('ip', ['netns', 'exec', place.namespace, 'tc', '-s', 'qdisc', 'show', 'dev', place.link], {
      encoding: 'utf8',
    }).stdout;
    return Number(/dropped (\d+)/.exec(text)?.[1]);
  };

  test('loss, delay and reordering: prober and echo agree with what the kernel says it has dropped', async () => {
    const echo = await startCounting(FAR, 'counting-echo-program');
    const seen = await ping(echo.port, 2);
    const answered = await echo.counts();
    expect(answered.received).toBe(seen.sent! - dropped(NEAR));
    expect(seen.received! + seen.late!).toBe(answered.sent! - dropped(FAR));
    expect(seen.sent).toBe(seen.received! + seen.lost!);
    expect(seen.lost).toBeGreaterThan(0);
    expect(seen.reordered).toBeGreaterThan(0);
  });
});
