// Sockets that were open when this process started: which descriptors a target means, and what they are.

import { fstatSync, readFileSync, readlinkSync, type BigIntStats } from 'node:fs';
import { WellknownError } from '../errors.ts';
import { systemdSockets } from './inheritance.ts';
import { formatListenTarget, type ListenTarget } from '../address/listen-target.ts';
import type { Endpoint } from '../address/endpoint.ts';

type PassedTarget = Exclude<ListenTarget, Endpoint>;

// Read once: systemd's variables are taken out of the environment, so that workers do not take them for theirs.
const passedBySystemd = systemdSockets(process.env, process.pid);
for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) Reflect.deleteProperty(process.env, name);

/** The names of the sockets that systemd has passed to this process, one for each. */
export const namesFromSystemd = (): readonly string[] => passedBySystemd.map(({ name }) => name);

/** The descriptors of a target that was passed to this process. Throws when there is none. */
export function descriptorsOf(target: PassedTarget): readonly number[] {
  if (target.scheme === 'fd') return [target.descriptor];
  const found = passedBySystemd.filter(({ name }) => name === target.name).map(({ descriptor }) => descriptor);
  if (found.length > 0) return found;
  const names = namesFromSystemd();
  throw new WellknownError(
    'BIND_FAILED',
    `cannot listen on ${formatListenTarget(target)}: systemd has passed no socket of that name`,
    {
      fault: 'system',
      hint: names.length === 0 ? 'start it from a socket unit' : `the names are ${names.join(', ')}`,
    },
  );
}

/** For a descriptor that nothing can be accepted or received from. */
export function unusable(target: PassedTarget, descriptor: number, what: string): WellknownError {
  return new WellknownError(
    'BIND_FAILED',
    `cannot listen on ${formatListenTarget(target)}: descriptor ${descriptor} ${what}`,
    {
      fault: 'system',
      hint:
        target.scheme === 'fd'
          ? 'start the program with that descriptor open on a listening stream socket or a bound UDP socket'
          : 'the socket unit needs ListenStream= or ListenDatagram=, and Accept=no',
    },
  );
}

/** The number by which the kernel's tables know the socket. Throws where the descriptor is none. */
function inodeOf(target: PassedTarget, descriptor: number): string {
  let stats: BigIntStats;
  try {
    stats = fstatSync(descriptor, { bigint: true });
  } catch {
    throw unusable(target, descriptor, 'is not open');
  }
  if (!stats.isSocket()) throw unusable(target, descriptor, `is no socket${whatItIs(descriptor)}`);
  return String(stats.ino);
}

function whatItIs(descriptor: number): string {
  try {
    return ` but ${readlinkSync(`/proc/self/fd/${descriptor}`)}`;
  } catch {
    // There is no /proc.
    return '';
  }
}

/** The columns of a socket in one of the kernel's tables (proc(5)). */
function rowOf(table: string, inode: string): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find((columns) => columns[table === 'unix' ? UNIX.inode : INET.inode] === inode);
  } catch {
    return undefined;
  }
}

const INET = { state: 3, inode: 9 };
const UNIX = { type: 4, state: 5, inode: 6, path: 7 };
// TCP_LISTEN; SOCK_STREAM and SS_CONNECTED of include/linux/net.h.
const LISTENING = '0A';
const STREAM = '0001';
const CONNECTED = '03';

/**
 * What a passed socket is, as far as the kernel tells: the path of a unix socket, or a kind whose address its handle
 * will tell. Throws for what can't be listened on. A socket that is bound and listens nowhere yet can be.
 */
export function endpointOfDescriptor(target: PassedTarget, descriptor: number): Endpoint {
  const inode = inodeOf(target, descriptor);
  const unix = rowOf('unix', inode);
  if (unix !== undefined) {
    if (unix[UNIX.type] !== STREAM)
      throw unusable(target, descriptor, 'is a unix socket for datagrams or packets, and Node has streams alone there');
    const path = unix.slice(UNIX.path).join(' ');
    if (unix[UNIX.state] === CONNECTED) throw unusable(target, descriptor, 'is a connection over a unix socket');
    if (path === '') throw unusable(target, descriptor, 'is bound to no address');
    return { scheme: 'unix', path: path.replace(/^@/, ''), abstract: path.startsWith('@') };
  }
  if (rowOf('udp', inode) !== undefined) return { scheme: 'udp', host: '', port: 0 };
  if (rowOf('udp6', inode) !== undefined) return { scheme: 'udp', host: '::', port: 0 };
  // Of TCP only what listens or is connected stands there.
  const state = (rowOf('tcp', inode) ?? rowOf('tcp6', inode))?.[INET.state] ?? LISTENING;
  if (state !== LISTENING) throw unusable(target, descriptor, 'is a TCP connection');
  return { scheme: 'tcp', host: '', port: 0 };
}
