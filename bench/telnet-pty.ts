// 100 MiB of a program's output on a pseudo-terminal, through our server, through telnetd of inetutils under tcpserver,
// and through a pipe of Node's without telnet, in turn. Counted are the time that a client takes to get it, and the CPU
// time of the server's own process. The program shares the server's core, so the time is that of both together.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLIENT_CORE, cpuTimeOf, median, SERVER_CORE } from './measure.ts';

const MIB = 100;
const LINE = `${'x'.repeat(79)}\n`;

interface Round {
  readonly milliseconds: number;
  readonly cpuMicroseconds: number;
}
interface Subject {
  readonly name: string;
  /** Starts it and says its port, and which process serves once a client is there. */
  start(
    program: string,
  ): Promise<{ readonly child: ChildProcess; readonly port: number; readonly server: () => number }>;
}

const onServerCore = (command: string, ...args: string[]): ChildProcess =>
  spawn('taskset', ['-c', SERVER_CORE, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

const nextText = (child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> =>
  new Promise((resolve, reject) => {
    let text = '';
    const heard = (chunk: Buffer): void => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match === null) return;
      child.stdout?.off('data', heard);
      resolve(match);
    };
    child.stdout?.on('data', heard);
    child.once('exit', () => reject(new Error(`ended before it said ${pattern.source}: ${text}`)));
  });

const unusedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const childOf = (pid: number): number =>
  Number(
    execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)[0],
  );

const nodeSubject = (name: string, server: string): Subject => ({
  name,
  async start(program) {
    const child = onServerCore(process.execPath, fileURLToPath(new URL(`servers/${server}`, import.meta.url)), program);
    const [, port] = await nextText(child, /port (\d+)\n/);
    return { child, port: Number(port), server: () => child.pid ?? 0 };
  },
});

const SUBJECTS: readonly Subject[] = [
  {
    name: 'telnetd of inetutils under tcpserver',
    async start(program) {
      const port = await unusedPort();
      const child = onServerCore('tcpserver', '-HRl0', '127.0.0.1', String(port), '/usr/sbin/telnetd', '-E', program);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { child, port, server: () => childOf(child.pid ?? 0) };
    },
  },
  nodeSubject('wellknown', 'telnet-program.mjs'),
  nodeSubject('node-pty piped to a socket', 'telnet-bare-pty.mjs'),
];

async function measure(subject: Subject, program: string): Promise<Round> {
  const { child, port, server } = await subject.start(program);
  const file = fileURLToPath(new URL('clients/telnet-drain.mjs', import.meta.url));
  const client = spawn('taskset', ['-c', CLIENT_CORE, process.execPath, file, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    // A program that waits a second has begun by now, and a runtime is up.
    await nextText(client, /begun\n/);
    const before = cpuTimeOf(server());
    const [, milliseconds, bytes] = await nextText(client, /took ([\d.]+) ms bytes (\d+)\n/);
    if (Number(bytes) < MIB * 1024 * 1024) throw new Error(`${subject.name} lost output: ${bytes ?? ''} bytes came`);
    return { milliseconds: Number(milliseconds), cpuMicroseconds: cpuTimeOf(server()) - before };
  } finally {
    client.removeAllListeners('exit');
    client.stdin.end('leave\n');
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  }
}

const withRange = (ratios: readonly number[]): string =>
  `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;

export async function comparePtyOutput(rounds: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-bench-'));
  const [text, program] = [path.join(folder, 'text'), path.join(folder, 'program')];
  writeFileSync(text, LINE.repeat((MIB * 1024 * 1024) / LINE.length));
  writeFileSync(program, `#!/bin/sh\necho BEGIN\nsleep 1\ncat ${text}\necho END\nread answer\n`);
  chmodSync(program, 0o755);
  try {
    const results = SUBJECTS.map((): Round[] => []);
    for (let round = 0; round < rounds; round += 1)
      for (const [index, subject] of SUBJECTS.entries()) results[index]?.push(await measure(subject, program));
    console.log(
      `\n${MIB} MiB of output on a pseudo-terminal (node ${process.version}, ${rounds} rounds; medians: seconds, CPU seconds of the server's process; ratios to the first, and their range)`,
    );
    const [base = []] = results;
    for (const [index, { name }] of SUBJECTS.entries()) {
      const all = results[index] ?? [];
      const time = median(all.map(({ milliseconds }) => milliseconds)) / 1000;
      const cpu = median(all.map(({ cpuMicroseconds }) => cpuMicroseconds)) / 1e6;
      const rates = all.map(({ milliseconds }, at) => (base[at]?.milliseconds ?? 0) / milliseconds);
      const shares = all.map(({ cpuMicroseconds }, at) => cpuMicroseconds / (base[at]?.cpuMicroseconds ?? 0));
      console.log(
        `  ${name.padEnd(38)} ${time.toFixed(2).padStart(7)} s ${cpu.toFixed(2).padStart(7)} s   rate ${withRange(rates)}   CPU ${withRange(shares)}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
