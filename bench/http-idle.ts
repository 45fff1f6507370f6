// What 10,000 idle connections cost in memory, each of which has had one answer. Needs enough file descriptors: ulimit
// -n 25000.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { peersFor } from './http-peers.ts';

const CONNECTIONS = 10_000;
// Well below the queue of a listening socket.
const AT_ONCE = 100;

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

const connectIdle = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: idle\r\n\r\n'),
    );
    socket.once('data', () => resolve(socket));
    socket.once('error', reject);
  });

/** Prints bytes of resident memory for each connection. */
export async function compareHttpIdle(): Promise<void> {
  console.log(`\nmemory for each of ${CONNECTIONS} idle connections (node ${process.version})`);
  for (const { name, server, arguments: rest = [] } of peersFor('hello')) {
    const child = spawn(process.execPath, [fileURLToPath(new URL(`servers/${server}`, import.meta.url)), ...rest], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [port, pid] = await new Promise<[number, number]>((resolve) =>
      child.stdout.on('data', (text: Buffer) => {
        const match = /port (\d+)(?: pid (\d+))?/.exec(String(text));
        if (match !== null) resolve([Number(match[1]), Number(match[2] ?? child.pid)]);
      }),
    );
    const sockets: Socket[] = [];
    try {
      // The first hundred warm it up.
      for (let opened = 0; opened < AT_ONCE; opened += 1) sockets.push(await connectIdle(port));
      const before = residentBytes(pid);
      while (sockets.length < CONNECTIONS)
        sockets.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => connectIdle(port)))));
      console.log(`  ${name.padEnd(28)} ${Math.round((residentBytes(pid) - before) / CONNECTIONS)} bytes`);
    } catch (error) {
      console.log(`  ${name.padEnd(28)} stopped at ${sockets.length}: ${String(error)}`);
    } finally {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('close', resolve));
    }
  }
}
