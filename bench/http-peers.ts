// The servers that ours is compared with, as far as they are here.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile, isInstalled } from './datagram-measure.ts';
import type { Subject } from './measure.ts';

/** What a server is to do: one of the handlers of bench/handlers/fetch.mjs. */
export type Duty = 'hello' | 'async' | 'json' | 'post' | 'hono' | 'stream';

/** Bun's binary from its package for this platform; undefined where there is none. */
export function bunBinary(): string | undefined {
  try {
    const beside = createRequire(import.meta.resolve('bun/package.json'));
    const binary = beside.resolve(`@oven/bun-${process.platform}-${process.arch}/bin/bun`);
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

const hasNginx = (): boolean => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('nginx is not installed, so it is not compared');
    return false;
  }
};

/**
 * All peers for one duty; the first is the reference. Those with fetch handlers run the same one with the platform's
 * classes; a row that says `own` gives a server's own class of responses to it.
 */
export function peersFor(duty: Duty): Subject[] {
  const bun = bunBinary();
  const hasOwn = duty !== 'hono';
  return [
    { name: 'node:http', server: 'http-node.mjs', arguments: [duty] },
    { name: 'wellknown', server: 'http-wellknown.mjs', arguments: [duty] },
    ...(hasOwn ? [{ name: 'wellknown, own', server: 'http-wellknown.mjs', arguments: [duty, 'own'] }] : []),
    { name: "wellknown, Node's classes", server: 'http-wellknown.mjs', arguments: [duty, 'native'] },
    { name: '@hono/node-server', server: 'http-hono.mjs', arguments: [duty] },
    { name: 'srvx', server: 'http-srvx.mjs', arguments: [duty] },
    ...(hasOwn && duty !== 'json' ? [{ name: 'srvx, own', server: 'http-srvx.mjs', arguments: [duty, 'own'] }] : []),
    ...(duty === 'hello' || duty === 'post' ? [{ name: 'fastify, own', server: 'http-fastify.mjs' }] : []),
    ...(bun === undefined ? [] : [{ name: 'Bun.serve', server: 'http-bun.mjs', arguments: [bun, duty] }]),
    ...((duty === 'hello' || duty === 'json') && hasNginx()
      ? [{ name: 'nginx', server: 'http-nginx.mjs', arguments: [duty] }]
      : []),
  ];
}

/** All peers that serve the files below `root`; the first is the reference. */
export const filePeers = (root: string): Subject[] => [
  ...(hasNginx() ? [{ name: 'nginx', server: 'http-nginx.mjs', arguments: ['files', root] }] : []),
  { name: 'wellknown', server: 'http-wellknown.mjs', arguments: ['files', root] },
  { name: 'bare node:net', server: 'http-net.mjs', arguments: [root] },
  ...(isInstalled('cc')
    ? [{ name: 'C, a write from memory', server: 'http-loop.mjs', arguments: [compile('servers/http-loop.c'), root] }]
    : []),
  { name: 'sirv on node:http', server: 'http-sirv.mjs', arguments: [root] },
];

/** All peers over TLS, with the certificate in `folder`, whose files they serve; the first is the reference. */
export const tlsPeers = (duty: 'hello' | 'files', folder: string): Subject[] => [
  ...(hasNginx() ? [{ name: 'nginx', server: 'http-nginx.mjs', arguments: [duty, folder, folder] }] : []),
  {
    name: 'wellknown',
    server: 'http-wellknown.mjs',
    arguments: [duty, duty === 'files' ? folder : 'globals', folder],
  },
  { name: 'node:http2', server: 'http-node-tls.mjs', arguments: [duty, folder, folder] },
];
