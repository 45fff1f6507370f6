// Sockets that were open when this process started: which descriptors a target means, and what they are.

import { readFileSync, readlinkSync } from 'node:fs';
import { WellknownError } from '../errors.ts';
import { systemdSockets } from './inheritance.ts';
import { formatListenTarget, type ListenTarget } from '../address/listen-target.ts';
import type { Endpoint } from '../address/endpoint.ts';

// Read once: systemd's variables are taken out of the environment, so that workers do not take them for theirs.
const passedBySystemd = systemdSockets(process.env, process.pid);
for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) Reflect.deleteProperty(process.env, name);

/** The names of the sockets that systemd has passed to this process, one for each. */
export const namesFromSystemd = (): readonly string[] => passedBySystemd.map(({ name }) => name);

/** The descriptors of a target that was passed to this process. Throws when there is none. */
export function descriptorsOf(target: Exclude<ListenTarget, Endpoint>): readonly number[] {
  const found =
    target.scheme === 'fd'
      ? [target.descriptor].filter(isSocket)
      : passedBySystemd.filter(({ name }) => name === target.name).map(({ descriptor }) => descriptor);
  if (found.length > 0) return found;
  const names = passedBySystemd.map(({ name }) => name);
  throw new WellknownError(
    'BIND_FAILED',
    `cannot listen on ${formatListenTarget(target)}: ${target.scheme === 'fd' ? 'the descriptor is no open socket' : 'systemd has passed no socket of that name'}`,
    {
      fault: 'system',
      hint:
        target.scheme === 'fd'
          ? 'start the program with that descriptor open'
          : names.length === 0
            ? 'start it from a socket unit'
            : `the names are ${names.join(', ')}`,
    },
  );
}

function inodeOf(descriptor: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

const isSocket = (descriptor: number): boolean => inodeOf(descriptor) !== undefined;

const listsInode = (table: string, inode: string): string | undefined => {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .find((line) => line.split(/\s+/).includes(inode));
  } catch {
    return undefined;
  }
};

/**
 * What a passed socket is, as far as the kernel tells: the path of a unix socket, or a kind whose address its handle
 * will tell.
 */
export function endpointOfDescriptor(descriptor: number): Endpoint {
  const inode = inodeOf(descriptor) ?? '';
  const unix = listsInode('unix', inode);
  if (unix !== undefined) {
    const path = unix.split(/\s+/)[7] ?? '';
    return { scheme: 'unix', path: path.replace(/^@/, ''), abstract: path.startsWith('@') };
  }
  const isDatagram = listsInode('udp', inode) !== undefined || listsInode('udp6', inode) !== undefined;
  return {
    scheme: isDatagram ? 'udp' : 'tcp',
    host: isDatagram && listsInode('udp6', inode) !== undefined ? '::' : '',
    port: 0,
  };
}
