// Binds what a service listens on, once, in the process that owns it. It never accepts.

import type dgram from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { statSync, unlinkSync } from 'node:fs';
import { chmod, lstat, rename, stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { codeOf } from '../errors.ts';
import { isIpv4, isIpv6 } from '../address/address.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { explainBindFailure } from './bind-failure.ts';
import { createDatagramSocket, datagramDescriptor } from '../kernel/datagram-handle.ts';
import { forgetLastStat } from '../kernel/last-stat.ts';
import { bindStream, type BindTarget } from '../kernel/stream-handle.ts';

/** A socket bound in the kernel. Closing it takes the address back. */
export interface BoundListener {
  /** With the port that the kernel gave, where 0 was asked for. */
  readonly endpoint: Endpoint;
  readonly socket:
    | { readonly type: 'stream'; readonly handle: net.Socket }
    | { readonly type: 'datagram'; readonly socket: dgram.Socket };
  /** The number of the socket in this process, for a program that inherits it. */
  readonly descriptor: number;
  /** `keepPath` leaves a unix path in place, for the process that has inherited the socket. */
  close(options?: { readonly keepPath?: boolean }): Promise<void>;
}

export interface BindOptions {
  /** Lets several sockets of this program share the address, each with a queue of its own. */
  readonly reusePort?: boolean;
  /** Adopts a socket that is bound already instead of binding: inherited from a predecessor or from systemd. */
  readonly descriptor?: number;
  /** The permissions of a unix path; by default those that the umask leaves. */
  readonly unixMode?: number | undefined;
  /** Takes the unix path even from a program that still listens there. */
  readonly replacePath?: boolean;
}

/** Binds, or throws a WellknownError that names the endpoint, the reason and what to do. */
export async function bindListener(endpoint: Endpoint, options: BindOptions = {}): Promise<BoundListener> {
  try {
    if (options.descriptor !== undefined) return await adopt(endpoint, options.descriptor);
    if (endpoint.scheme === 'unix') return await bindUnix(endpoint, options);
    const addresses = await addressesOf(endpoint.host);
    return await firstThatBinds(addresses, (address) =>
      endpoint.scheme === 'udp' ? bindUdp(endpoint, address, options) : bindTcp(endpoint, address, options),
    );
  } catch (error) {
    throw explainBindFailure(endpoint, error);
  }
}

/** All addresses means both families on one socket; where IPv6 is switched off, IPv4 alone. */
async function addressesOf(host: string): Promise<string[]> {
  if (host === '') return ['::', '0.0.0.0'];
  if (isIpv4(host) || isIpv6(host)) return [host];
  return [(await lookup(host)).address];
}

async function firstThatBinds<Bound>(
  addresses: readonly string[],
  bind: (address: string) => Bound | Promise<Bound>,
): Promise<Bound> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await bind(address);
    } catch (error) {
      failure = error;
      const code = codeOf(error);
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') break;
    }
  }
  throw failure;
}

const closed = (close: () => void): Promise<void> => {
  close();
  return Promise.resolve();
};

type PortEndpoint = Exclude<Endpoint, { scheme: 'unix' }>;

function bindTcp(endpoint: PortEndpoint, address: string, { reusePort = false }: BindOptions): BoundListener {
  const stream = bindStream({ address, port: endpoint.port, reusePort });
  return {
    endpoint: { ...endpoint, host: address, port: stream.bound?.port ?? endpoint.port },
    socket: { type: 'stream', handle: stream.handle },
    descriptor: stream.descriptor,
    close: () => closed(() => stream.close()),
  };
}

/**
 * Takes over a socket that another program has bound. Its address is asked of the kernel, except for a path, which
 * keeps its name.
 */
async function adopt(endpoint: Endpoint, descriptor: number): Promise<BoundListener> {
  if (endpoint.scheme === 'udp') return bindUdp(endpoint, endpoint.host, { descriptor });
  const stream = bindStream({ descriptor });
  const { bound } = stream;
  const path = endpoint.scheme === 'unix' && !endpoint.abstract ? endpoint.path : undefined;
  const identity = path === undefined ? undefined : identityOf(path);
  const real: Endpoint =
    endpoint.scheme === 'unix' || bound === undefined
      ? endpoint
      : { ...endpoint, host: bound.address, port: bound.port };
  return {
    endpoint: real,
    socket: { type: 'stream', handle: stream.handle },
    descriptor,
    close({ keepPath = false } = {}) {
      if (path !== undefined && !keepPath) unlinkIfStill(path, identity);
      return closed(() => stream.close());
    },
  };
}

async function bindUdp(
  endpoint: PortEndpoint,
  address: string,
  { reusePort = false, descriptor }: BindOptions,
): Promise<BoundListener> {
  const socket = createDatagramSocket(address.includes(':') ? 'udp6' : 'udp4', {
    dualStack: address === '::',
    reusePort,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    // Exclusive: this very socket, also where this process is a worker of another cluster.
    socket.bind(
      descriptor === undefined
        ? { port: endpoint.port, address, exclusive: true }
        : { fd: descriptor, exclusive: true },
      () => {
        socket.off('error', reject);
        resolve();
      },
    );
  });
  return {
    endpoint: { ...endpoint, host: socket.address().address, port: socket.address().port },
    socket: { type: 'datagram', socket },
    descriptor: datagramDescriptor(socket),
    close: () =>
      new Promise((resolve) => {
        try {
          socket.close(() => resolve());
        } catch {
          // Already closed by what served on it.
          resolve();
        }
      }),
  };
}

async function bindUnix(
  endpoint: Extract<Endpoint, { scheme: 'unix' }>,
  { unixMode: mode, replacePath = false }: BindOptions,
): Promise<BoundListener> {
  if (endpoint.abstract) {
    const bound = bindStream({ path: `\0${endpoint.path}` });
    return {
      endpoint,
      socket: { type: 'stream', handle: bound.handle },
      descriptor: bound.descriptor,
      close: () => closed(() => bound.close()),
    };
  }
  await mustBeFree(endpoint.path);
  if (!replacePath && !(await isStale(endpoint.path)))
    throw Object.assign(new Error('another program listens there'), { code: 'EADDRINUSE' });
  // libuv unlinks the path it was bound to when the handle closes, whichever socket has the name by then. So it is bound under
  // a temporary name and renamed: the replacement of a stale socket is atomic, and the final path is ours to unlink.
  const temporary = temporaryName(endpoint.path);
  const target: BindTarget = { path: temporary };
  const bound = bindStream(target);
  let identity: string | undefined;
  try {
    // Before it gets its name: no process can have opened it with other permissions.
    if (mode !== undefined) await chmod(temporary, mode);
    identity = identityOf(temporary);
    await rename(temporary, endpoint.path);
  } catch (error) {
    bound.close();
    throw error;
  }
  return {
    endpoint,
    socket: { type: 'stream', handle: bound.handle },
    descriptor: bound.descriptor,
    close({ keepPath = false } = {}) {
      if (!keepPath) unlinkIfStill(endpoint.path, identity);
      return closed(() => bound.close());
    },
  };
}

// sun_path of unix(7), less the end of the text. libuv cuts what is longer without a word.
const MAX_PATH_BYTES = 107;

/** Beside the final name, and short enough where that one is long. */
function temporaryName(file: string): string {
  const fits = [`${file}.${process.pid}`, path.join(path.dirname(file), `.${process.pid}`)].find(
    (name) => Buffer.byteLength(name) <= MAX_PATH_BYTES,
  );
  if (fits === undefined)
    throw Object.assign(new Error('there is no room for a temporary name'), { code: 'ENAMETOOLONG' });
  return fits;
}

/**
 * A stale socket is replaced; anything else that has the name is another program's file. libuv reports a missing folder as
 * EACCES.
 */
async function mustBeFree(file: string): Promise<void> {
  await stat(path.dirname(file));
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined && !there.isSocket())
    throw Object.assign(new Error('a file that is no socket has that name'), { code: 'EEXIST' });
}

/** Which file a path names; undefined where it names none. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  } finally {
    forgetLastStat();
  }
}

/**
 * Another program may have taken the path over since: then it is not ours to unlink. Asked while the socket is still
 * open, so that its number is given to no other file, and unlinked in the same step, so that no successor comes between.
 */
function unlinkIfStill(path: string, identity: string | undefined): void {
  if (identity === undefined || identityOf(path) !== identity) return;
  try {
    unlinkSync(path);
  } catch {
    // The folder is not writable any more: the path stays, and the next program finds it stale.
  }
}

/**
 * Tells a path that a killed process left behind from a living socket. Only a refusal says that no process has it: one
 * with a full queue answers EAGAIN, a datagram socket EPROTOTYPE. Rejects with EACCES where this user may not ask: the
 * socket is another user's, or a folder on the way is.
 */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => {
      if (codeOf(error) === 'EACCES') reject(error);
      else resolve(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)));
    });
  });
}
