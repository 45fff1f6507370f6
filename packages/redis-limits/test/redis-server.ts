// A real Redis on a unix socket, in a process of its own.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@wellknown/core/testing';

export interface RedisServer {
  readonly url: string;
  start(): Promise<void>;
  /** It is gone, and so is all that it knew. */
  stop(): Promise<void>;
  /** It is there, and answers nothing until it goes on. */
  pause(): void;
  goOn(): void;
  /** Runs a command of it, as a user who may do all: a test may take rights from who has no name. */
  command(...words: readonly string[]): string;
  remove(): Promise<void>;
}

/** Not started yet. */
export function createRedisServer(options: readonly string[] = []): RedisServer {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-redis-'));
  const socket = path.join(folder, 'redis.sock');
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill();
    child.kill('SIGCONT');
    child = undefined;
    await exited;
  };
  return {
    url: `redis+socket:${socket}`,
    async start() {
      const words = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'];
      const admin = ['--user', 'admin', 'on', '>admin', '~*', '&*', '+@all'];
      child = spawn('redis-server', [...words, ...admin, ...options], { stdio: 'ignore' });
      await eventually(() => existsSync(socket));
    },
    stop,
    pause: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
    command: (...words) =>
      execFileSync('redis-cli', ['-s', socket, '--user', 'admin', '--pass', 'admin', '--no-auth-warning', ...words], {
        encoding: 'utf8',
      }).trim(),
    async remove() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}
