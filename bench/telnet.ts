// Telnet: what the parser takes, how long a key takes from the client and back, and what an idle session costs.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createEngine } from '@wellknown/telnet/engine';

const CHUNK_BYTES = 65_536;
const IAC = 255;

const filled = (every: number): Buffer => {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'what a user sees is mostly text\r\n');
  if (every === 0) return chunk;
  // Doubled, as data has it; so many of all bytes are IACs.
  for (let at = 0; at + 1 < CHUNK_BYTES; at += 2 * every) chunk.fill(IAC, at, at + 2);
  return chunk;
};

/** Prints megabytes a second of CPU time; the median of the rounds. */
export function measureTelnetParser(rounds: number): Promise<void> {
  console.log(`\ntelnet engine, bytes in to events out (node ${process.version})`);
  for (const [name, chunk, times] of [
    ['no IAC', filled(0), 20_000],
    ['1% IAC', filled(100), 4_000],
    ['all IAC', Buffer.alloc(CHUNK_BYTES, IAC), 4_000],
  ] as const) {
    const engine = createEngine();
    const once = (): number => {
      const before = process.cpuUsage();
      for (let time = 0; time < times; time += 1) engine.receive(chunk, 0);
      const { user, system } = process.cpuUsage(before);
      return (CHUNK_BYTES * times) / (user + system);
    };
    once();
    const rates = Array.from({ length: rounds }, once).sort((a, b) => a - b);
    console.log(`  ${name.padEnd(28)} ${Math.round(rates[rates.length >> 1] ?? 0)} MB/s`);
  }
  return Promise.resolve();
}

const AGREED = Buffer.from([255, 253, 1, 255, 253, 3, 255, 252, 24, 255, 252, 31]);
const AT_ONCE = 100;

async function withServer(run: (port: number, pid: number) => Promise<void>): Promise<void> {
  const program = fileURLToPath(new URL('servers/telnet-wellknown.mjs', import.meta.url));
  const child = spawn('taskset', ['-c', '0', process.execPath, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.on('data', (text: Buffer) => {
      const match = /port (\d+)/.exec(String(text));
      if (match !== null) resolve(Number(match[1]));
    }),
  );
  try {
    await run(port, child.pid ?? 0);
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  }
}

/** A session in character mode: what it is offered it has agreed to. */
const openSession = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(AGREED));
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString('latin1');
      // What was refused before it was offered is agreed to now.
      if (said.includes('\u00ff\u00fb\u0001')) {
        socket.write(AGREED);
        said = said.replace('\u00ff\u00fb\u0001', '');
      }
      if (!said.includes('ready\r\n')) return;
      socket.off('data', listen);
      resolve(socket);
    };
    socket.on('data', listen);
    socket.once('error', reject);
  });

async function openSessions(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => openSession(port)),
      )),
    );
  return sockets;
}

const KEYS = 3_000;

/** Prints how long a key takes until its echo is back, with one session and with 500 of which one after the other types. */
export async function measureTelnetKeystrokes(rounds: number): Promise<void> {
  console.log(`\ntelnet keystroke to echo (node ${process.version})`);
  for (const sessions of [1, 500])
    await withServer(async (port) => {
      const sockets = await openSessions(port, sessions);
      const times: number[] = [];
      for (let key = 0; key < KEYS * rounds; key += 1) {
        const socket = sockets[key % sessions];
        if (socket === undefined) continue;
        const before = process.hrtime.bigint();
        socket.write('x');
        await new Promise((resolve) => socket.once('data', resolve));
        times.push(Number(process.hrtime.bigint() - before) / 1000);
      }
      times.sort((a, b) => a - b);
      const at = (part: number): number => Math.round(times[Math.floor(times.length * part)] ?? 0);
      console.log(`  ${`${sessions} sessions`.padEnd(28)} p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`);
      for (const socket of sockets) socket.destroy();
    });
}

const IDLE = 5_000;
const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** Prints bytes of resident memory for each idle session. */
export async function measureTelnetIdle(): Promise<void> {
  console.log(`\nmemory for each of ${IDLE} idle telnet sessions (node ${process.version})`);
  await withServer(async (port, pid) => {
    const sockets = await openSessions(port, AT_ONCE);
    const before = residentBytes(pid);
    sockets.push(...(await openSessions(port, IDLE)));
    console.log(`  resident                     ${Math.round((residentBytes(pid) - before) / IDLE)} bytes`);
    for (const socket of sockets) socket.destroy();
  });
}
