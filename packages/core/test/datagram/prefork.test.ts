// Datagrams and worker processes: who answers, and what happens to the share of one that is gone.

import type { DatagramPeer } from '../../src/datagram/peer.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { connectDatagram } from '../../src/socket/index.ts';
import { offersReusePort } from '../../src/kernel/stream-handle.ts';
import { eventually, startProgram, type Program } from '../../src/testing/index.ts';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/core/test/fixtures/identify-program.ts');

const running: Program[] = [];
const peers: DatagramPeer[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await Promise.all(running.splice(0).map((program) => program.stop()));
});

async function start(...options: string[]): Promise<Program & { url: string }> {
  const program = await startProgram([...PROGRAM, '--listen', 'udp://127.0.0.1:0', '--drain-timeout', '1', ...options]);
  running.push(program);
  return { ...program, url: program.endpoints.identify?.[0] ?? '' };
}

async function source(url: string): Promise<DatagramPeer> {
  const peer = await connectDatagram(url);
  peers.push(peer);
  return peer;
}

/** The process that answered; asks again when the datagram or its answer was lost with a dying worker. */
async function who(peer: DatagramPeer): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    peer.send(Buffer.from('who'));
    const answer = await peer.read(500);
    if (answer !== undefined) return Number(Buffer.from(answer).toString());
  }
  throw new Error('no worker answered');
}

const SOURCES = 40;
const sources = (url: string): Promise<DatagramPeer[]> =>
  Promise.all(Array.from({ length: SOURCES }, () => source(url)));

/** The workers that answer, asked by every source until `count` have been seen. */
async function answeringWorkers(askers: readonly DatagramPeer[], count: number): Promise<Set<number>> {
  const seen = new Set<number>();
  await eventually(async () => {
    for (const pid of await Promise.all(askers.map(who))) seen.add(pid);
    return seen.size >= count;
  });
  return seen;
}

const strategies = ['inherit-shared', ...(offersReusePort ? ['inherit-sharded'] : [])];
if (!offersReusePort)
  console.log(`skipped on Node ${process.versions.node}: sockets of its own for each worker need Node 22.12 or newer`);

describe.each(strategies)('with %s', (strategy) => {
  test('every source is answered, and both workers answer', async () => {
    const { url } = await start('--workers', '2', '--accept', strategy);
    expect((await answeringWorkers(await sources(url), 2)).size).toBe(2);
  });

  test('a killed worker takes no source with it: all sources are answered again', async () => {
    const { url } = await start('--workers', '2', '--accept', strategy);
    const askers = await sources(url);
    const [victim = 0] = await answeringWorkers(askers, 2);
    process.kill(victim, 'SIGKILL');
    const answers = await Promise.all(askers.map(who));
    expect(answers).not.toContain(victim);
    expect(answers).toHaveLength(SOURCES);
  });

  test('a reload loses no datagram', async () => {
    const program = await start('--workers', '2', '--accept', strategy);
    const askers = await sources(program.url);
    const before = await answeringWorkers(askers, 2);
    program.signal('SIGHUP');
    let lost = 0;
    let seen = before;
    // Until no worker of the old generation answers any more, each source asks again as soon as it has its answer.
    while ([...seen].some((pid) => before.has(pid))) {
      const answers = await Promise.all(
        askers.map(async (peer) => {
          peer.send(Buffer.from('who'));
          return Buffer.from((await peer.read(5_000)) ?? []).toString();
        }),
      );
      lost += answers.filter((answer) => answer === '').length;
      seen = new Set(answers.map(Number));
    }
    expect(lost).toBe(0);
  });

  test('a retired worker leaves no source behind', async () => {
    const program = await start('--workers', '2', '--accept', strategy);
    const askers = await sources(program.url);
    await answeringWorkers(askers, 2);
    program.signal('SIGTTOU');
    await eventually(async () => expect(new Set(await Promise.all(askers.map(who))).size).toBe(1));
  });
});

test.runIf(offersReusePort)('a source always reaches the same worker where each has sockets of its own', async () => {
  // One that is late with its beat, as on a busy machine, would be helped by the other.
  const { url } = await start('--workers', '2', '--late-beat', '20');
  for (const peer of (await sources(url)).slice(0, 10)) {
    const answers = new Set<number>();
    for (let count = 0; count < 5; count += 1) answers.add(await who(peer));
    expect(answers.size).toBe(1);
  }
});
