// Binds what a service listens on, once, in the process that owns it. It never accepts: it lends the bound sockets out.

import type dgram from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { rename, unlink } from 'node:fs/promises';
import net from 'node:net';
import { isIpv4, isIpv6 } from './address.ts';
import { createDatagramSocket } from './datagram-socket.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { WellknownError, type ErrorCode } from './errors.ts';
import { bindStream, type BindTarget } from './socket-handle.ts';

/** A socket bound in the kernel. Closing it takes the address back. */
export interface BoundListener {
  /** With the port that the kernel gave, where 0 was asked for. */
  readonly endpoint: Endpoint;
  readonly socket: { readonly type: 'stream'; readonly handle: net.Socket } | { readonly type: 'datagram'; readonly socket: dgram.Socket };
  close(): Promise<void>;
}

/** Binds, or throws a WellknownError that names the endpoint, the reason and what to do. */
export async function bindListener(endpoint: Endpoint): Promise<BoundListener> {
  try {
    if (endpoint.scheme === 'unix') return await bindUnix(endpoint);
    const addresses = await addressesOf(endpoint.host);
    return endpoint.scheme === 'udp' ? await firstThatBinds(addresses, (address) => bindUdp(endpoint, address)) : await firstThatBinds(addresses, (address) => bindTcp(endpoint, address));
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

async function firstThatBinds<Bound>(addresses: readonly string[], bind: (address: string) => Bound | Promise<Bound>): Promise<Bound> {
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

function bindTcp(endpoint: Extract<Endpoint, { scheme: 'tcp' | 'udp' }>, address: string): BoundListener {
  const bound = bindStream({ address, port: endpoint.port });
  return {
    endpoint: { scheme: 'tcp', host: address, port: bound.port },
    socket: { type: 'stream', handle: bound.handle },
    close: () => closed(() => bound.close()),
  };
}

async function bindUdp(endpoint: Extract<Endpoint, { scheme: 'tcp' | 'udp' }>, address: string): Promise<BoundListener> {
  const socket = createDatagramSocket(address.includes(':') ? 'udp6' : 'udp4', { dualStack: address === '::' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    // Exclusive: this very socket, also where this process is a worker of somebody else's cluster.
    socket.bind({ port: endpoint.port, address, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return {
    endpoint: { scheme: 'udp', host: address, port: socket.address().port },
    socket: { type: 'datagram', socket },
    close: () =>
      new Promise((resolve) => {
        try {
          socket.close(() => resolve());
        } catch {
          // Already closed by whoever served on it.
          resolve();
        }
      }),
  };
}

async function bindUnix(endpoint: Extract<Endpoint, { scheme: 'unix' }>): Promise<BoundListener> {
  if (endpoint.abstract) {
    const bound = bindStream({ path: `\0${endpoint.path}` });
    return { endpoint, socket: { type: 'stream', handle: bound.handle }, close: () => closed(() => bound.close()) };
  }
  if (await answers(endpoint.path)) throw Object.assign(new Error('somebody listens there'), { code: 'EADDRINUSE' });
  // libuv unlinks the path it was bound to when the handle closes, whoever holds the name by then. So it is bound under a
  // temporary name and renamed: the replacement of a stale socket is atomic, and the final path is ours to unlink.
  const temporary = `${endpoint.path}.${process.pid}`;
  const target: BindTarget = { path: temporary };
  const bound = bindStream(target);
  await rename(temporary, endpoint.path);
  return {
    endpoint,
    socket: { type: 'stream', handle: bound.handle },
    async close() {
      bound.close();
      await unlink(endpoint.path).catch(() => undefined);
    },
  };
}

/** Tells a living listener from a path that a killed process left behind. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

const EXPLANATIONS: Readonly<Record<string, { readonly code: ErrorCode; readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: { code: 'ADDRESS_IN_USE', reason: 'the address is in use', hint: 'end the program that listens there, or choose another port with --listen or --port-offset' },
  EACCES: {
    code: 'PERMISSION_DENIED',
    reason: 'permission denied',
    hint: 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE, a unix path needs a writable folder; or choose another port with --listen or --port-offset',
  },
  EPERM: { code: 'PERMISSION_DENIED', reason: 'the system forbids it', hint: 'check the limits of the service or container that this runs in' },
  EADDRNOTAVAIL: { code: 'ADDRESS_NOT_AVAILABLE', reason: 'no interface of this machine has the address', hint: 'leave the host empty for all addresses, or name one that `ip address` shows' },
  EAFNOSUPPORT: { code: 'ADDRESS_NOT_AVAILABLE', reason: 'this machine does not speak that address family', hint: 'use an IPv4 address' },
  ENOTFOUND: { code: 'NAME_NOT_FOUND', reason: 'the host name is not known', hint: 'use an address, or check the name' },
  EAI_AGAIN: { code: 'NAME_NOT_FOUND', reason: 'the host name could not be looked up', hint: 'use an address, or check the resolver' },
  ENOENT: { code: 'BIND_FAILED', reason: 'the folder of the path does not exist', hint: 'create it first' },
};

function explainBindFailure(endpoint: Endpoint, error: unknown): WellknownError {
  if (error instanceof WellknownError) return error;
  const explanation = EXPLANATIONS[codeOf(error)];
  const message = error instanceof Error ? error.message : String(error);
  return new WellknownError(explanation?.code ?? 'BIND_FAILED', `cannot listen on ${formatEndpoint(endpoint)}: ${explanation?.reason ?? message}`, {
    fault: 'system',
    ...(explanation === undefined ? {} : { hint: explanation.hint }),
    cause: error,
  });
}
