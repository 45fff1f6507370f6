// Both ends of an upgrade. Starting a successor: the same program, with the listening sockets as inherited descriptors,
// and one pipe on which it says that it is ready. Until then the predecessor serves as if nothing had happened.

import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import type { Clock } from '../time/clock.ts';
import { formatEndpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import {
  encodeInheritance,
  INHERIT_VARIABLE,
  type Inheritance,
  type InheritedSocket,
} from '../listener/inheritance.ts';
import type { Logger } from '../log.ts';
import { urlOf, type SharedSocket } from '../listener/shared-sockets.ts';

// Compiling, warming up and binding all done: a minute is long.
const READY_TIMEOUT_MS = 60_000;
const READY_DESCRIPTOR = 3;

/**
 * Resolves with the successor's process id once it is ready; otherwise ends it and rejects. Throws UNSUPPORTED in the first
 * process of a container: with it all others end (pid_namespaces(7)), the successor too.
 */
export function startSuccessor(sockets: readonly SharedSocket[], clock: Clock): Promise<number> {
  if (process.pid === 1)
    throw new WellknownError(
      'UNSUPPORTED',
      'the first process of a container has no successor: the container ends with it',
      {
        fault: 'local',
        hint: 'reload, or start a new container; with an init as the first process (docker run --init) it can be upgraded',
      },
    );
  const passed = sockets.filter(({ via }) => via !== 'cluster');
  const inherited = passed.map((socket, index): InheritedSocket => ({
    descriptor: READY_DESCRIPTOR + 1 + index,
    asked: socket.passedAs ?? formatEndpoint(socket.asked),
    bound: urlOf(socket),
    ...(socket.slot === undefined ? {} : { slot: socket.slot }),
  }));
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: {
      ...process.env,
      [INHERIT_VARIABLE]: encodeInheritance({ readyDescriptor: READY_DESCRIPTOR, sockets: inherited }),
    },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...passed.map(({ listener }) => listener.descriptor)],
    // It outlives this process.
    detached: false,
  });
  const failed = (
    why: string,
    cause?: Error,
    hint = 'what it wrote to the error output of this process says why',
  ): WellknownError =>
    new WellknownError('UPGRADE_FAILED', `the successor ${why}, this process goes on serving`, {
      fault: 'local',
      cause,
      hint,
    });
  return new Promise((resolve, reject) => {
    const timer = clock.after(READY_TIMEOUT_MS, () => {
      child.kill('SIGKILL');
      reject(failed('was not ready within a minute'));
    });
    child.once('error', (error) => {
      timer.cancel();
      reject(failed('could not be started', error, error.message));
    });
    child.once('exit', (code, signal) => {
      timer.cancel();
      reject(failed(`ended before it was ready (${signal ?? `status ${code ?? 0}`})`));
    });
    // Where there are no descriptors left for it, there is no pipe either, and an error comes.
    const { stdio } = child as { readonly stdio?: typeof child.stdio };
    stdio?.[READY_DESCRIPTOR]?.once('data', () => {
      timer.cancel();
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}

/** Tells a predecessor, where there is one, that it may drain. */
export function tellPredecessor(inheritance: Inheritance, log: Logger): void {
  const { readyDescriptor } = inheritance;
  if (readyDescriptor === undefined) return;
  try {
    writeSync(readyDescriptor, '1');
  } catch (error) {
    // It has ended meanwhile: all the more do we serve.
    log.warn({ err: error }, 'the predecessor is gone, and could not be told that this one is ready');
  }
  closeSync(readyDescriptor);
  for (const descriptor of inheritance.rest()) closeSync(descriptor);
}
