// Sessions that are programs, over real sockets.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface RawClient {
  readonly socket: Socket;
  /** What came, as latin1, without negotiation. */
  readonly text: string;
  readonly hasEnded: boolean;
}

/** A client that refuses nothing and answers nothing: a raw socket. */
export async function dial(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let hasEnded = false;
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (hasEnded = true));
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    get text() {
      return received.replace(/\u00ff[\u00fb-\u00fe]./gs, '');
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}

/** A script as a program of its own. */
export async function program(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wellknown-telnet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'program');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

/** The number in `pid N`; NaN where there is none. */
export const pidIn = (text: string): number => Number(/pid (\d+)/.exec(text)?.[1]);
