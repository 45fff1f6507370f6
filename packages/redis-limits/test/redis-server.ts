// A real Redis on a unix socket, in a process of its own.

import { spawn, type ChildProcess } from 'node:child_process';
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
    child = undefined;
    await exited;
  };
  return {
    url: `redis+socket:${socket}`,
    async start() {
      const words = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'];
      child = spawn('redis-server', [...words, ...options], { stdio: 'ignore' });
      await eventually(() => existsSync(socket));
    },
    stop,
    async remove() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}
