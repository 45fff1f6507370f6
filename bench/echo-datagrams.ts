// Datagram echoes: CPU time for each one against peers, two workers against one, and ten times more than can be
// answered. The load is a C program (clients/datagram-load.c), so that one core of load can fill one core of server.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { bunBinary } from './http-peers.ts';
import {
  benchFile,
  compile,
  isInstalled,
  load,
  median,
  start,
  temporaryFile,
  type DatagramSubject,
} from './datagram-measure.ts';

const WINDOW = 64;
const WARM_UP_SECONDS = 1;
const SECONDS = 2;
const XINETD_PORT = 40_007;

const wellknown = (workers: number, cores = '0'): DatagramSubject => ({
  name: `wellknown${workers > 0 ? `, ${workers} worker${workers > 1 ? 's' : ''}` : ''}`,
  command: [process.execPath, benchFile('servers/echo-wellknown.mjs'), String(workers)],
  cores,
});

/** Bare node:dgram first, since it is what the others are compared with. */
function subjects(): DatagramSubject[] {
  const list: DatagramSubject[] = [
    { name: 'bare node:dgram', command: [process.execPath, benchFile('servers/echo-dgram.mjs')] },
    wellknown(0),
    { name: 'C, recvfrom and sendto', command: [compile('servers/echo-loop.c')] },
  ];
  const bun = bunBinary();
  if (bun !== undefined) list.push({ name: 'bun', command: [bun, benchFile('servers/echo-bun.mjs')] });
  else console.log('  without bun: its package is not installed');
  if (isInstalled('xinetd'))
    list.push({
      name: 'xinetd',
      command: [
        'sh',
        '-c',
        `echo port ${XINETD_PORT}; exec xinetd -dontfork -f ${xinetdConfig()} -pidfile ${temporaryFile('pid')} -filelog ${temporaryFile('log')}`,
      ],
    });
  else console.log('  without xinetd: not installed');
  return list;
}

function xinetdConfig(): string {
  const file = temporaryFile('xinetd.conf');
  writeFileSync(
    file,
    `service echo
{
  type = INTERNAL UNLISTED
  id = echo-dgram
  socket_type = dgram
  protocol = udp
  wait = yes
  port = ${XINETD_PORT}
  bind = 127.0.0.1
  cps = 1000000 1
  disable = no
}
`,
  );
  return file;
}

async function compareCpu(generator: string, bytes: number, rounds: number): Promise<void> {
  const all = subjects();
  const results = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of all) {
      const server = await start(subject);
      load(generator, server.port, bytes, WARM_UP_SECONDS, 'window', WINDOW);
      const before = server.cpuMicroseconds();
      const { received, wrong } = load(generator, server.port, bytes, SECONDS, 'window', WINDOW);
      results.get(subject.name)?.push((server.cpuMicroseconds() - before) / received);
      if (wrong > 0) throw new Error(`${subject.name} changed ${wrong} datagrams`);
      await server.stop();
    }
  }
  const base = results.get(all[0]?.name ?? '') ?? [];
  console.log(
    `\nUDP echo, ${bytes} bytes, ${WINDOW} in flight (node ${process.version}, ${rounds} rounds, CPU microseconds per echo: min median max, ratio to ${all[0]?.name ?? ''})`,
  );
  for (const { name } of all) {
    const values = results.get(name) ?? [];
    const ratio = median(values.map((value, index) => value / (base[index] ?? Number.NaN)));
    console.log(
      `  ${name.padEnd(28)} ${Math.min(...values)
        .toFixed(2)
        .padStart(8)} ${median(values).toFixed(2).padStart(8)} ${Math.max(...values)
        .toFixed(2)
        .padStart(8)}   ${ratio.toFixed(2)}`,
    );
  }
}

/** From 64 sources, so that the kernel can spread them; server and load share two cores where there are no more. */
async function compareWorkers(generator: string, rounds: number): Promise<void> {
  const cores = availableParallelism() > 2 ? '0,2' : '0,1';
  console.log(
    `\nOne worker against two (64 sources, cores ${cores}, load on core 1${cores === '0,1' ? ', which it shares: the rates are lower bounds' : ''}; echoes a second, CPU microseconds per echo)`,
  );
  for (const workers of [1, 2]) {
    const rates: number[] = [];
    const costs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const server = await start(wellknown(workers, cores));
      load(generator, server.port, 64, WARM_UP_SECONDS, 'window', 4 * WINDOW, 64);
      const before = server.cpuMicroseconds();
      const { received, seconds } = load(generator, server.port, 64, SECONDS, 'window', 4 * WINDOW, 64);
      rates.push(received / seconds);
      costs.push((server.cpuMicroseconds() - before) / received);
      await server.stop();
    }
    console.log(
      `  ${String(workers)} ${workers === 1 ? 'worker ' : 'workers'}  ${median(rates).toFixed(0).padStart(8)}  ${median(costs).toFixed(2).padStart(6)}`,
    );
  }
}

/** What waits in the receive buffer when the flood ends is still to come: asks until two answers are alike. */
async function untilStill(ask: () => Promise<string>): Promise<string> {
  let before = '';
  let now = await ask();
  while (now !== before) {
    before = now;
    now = await ask();
  }
  return now;
}

/**
 * Ten times what it answers when nothing is lost: it should go on answering as much, drop the rest, and need no more
 * memory.
 */
async function overload(generator: string): Promise<void> {
  const server = await start(wellknown(0));
  load(generator, server.port, 64, WARM_UP_SECONDS, 'window', WINDOW);
  const capacity = load(generator, server.port, 64, SECONDS, 'window', WINDOW);
  const perSecond = capacity.received / capacity.seconds;
  const before = server.residentMegabytes();
  const counted = JSON.parse(await server.ask('SIGUSR2')) as Record<string, number>;
  const flood = load(generator, server.port, 64, 5, 'rate', Math.round(perSecond * 10), 64);
  const after = server.residentMegabytes();
  const now = JSON.parse(await untilStill(() => server.ask('SIGUSR2'))) as Record<string, number>;
  const again = load(generator, server.port, 64, SECONDS, 'window', WINDOW);
  await server.stop();
  const grown = (name: string): number => (now[name] ?? 0) - (counted[name] ?? 0);
  const seen = grown('received') + grown('droppedByKernel');
  console.log(`
Overload (asked for ten times ${perSecond.toFixed(0)} a second, the generator managed ${(flood.sent / flood.seconds / perSecond).toFixed(1)} times)
  answered a second   ${(grown('sent') / flood.seconds).toFixed(0)}, ${((grown('sent') / flood.seconds / perSecond) * 100).toFixed(0)}% of the capacity; afterwards ${(again.received / again.seconds).toFixed(0)}
  sent by the load    ${flood.sent}
  received            ${grown('received')}
  dropped by kernel   ${grown('droppedByKernel')}
  not accounted for   ${flood.sent - seen}
  memory              ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after`);
}

/** All of it; `rounds` for the comparisons. */
export async function compareEcho(rounds: number): Promise<void> {
  if (!isInstalled('cc') || !isInstalled('taskset')) {
    console.log('\nUDP echo: skipped, needs cc and taskset');
    return;
  }
  const generator = compile('clients/datagram-load.c');
  await compareCpu(generator, 64, rounds);
  await compareCpu(generator, 1_400, rounds);
  await compareWorkers(generator, rounds);
  await overload(generator);
}
