// The servers that ours is compared with, as far as they are here.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Subject } from './measure.ts';

/** What a server is to do: answer with a constant, with the content of the request, or with files below a root. */
export type Duty = 'hello' | 'echo';

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

/** All peers for one duty; the first is the reference. */
export function peersFor(duty: Duty): Subject[] {
  const bun = bunBinary();
  return [
    { name: 'node:http', server: 'http-node.mjs', arguments: [duty] },
    { name: 'wellknown', server: 'http-wellknown.mjs', arguments: [duty] },
    ...(duty === 'hello'
      ? [{ name: 'wellknown, platform Response', server: 'http-wellknown.mjs', arguments: ['native'] }]
      : []),
    { name: 'fastify', server: 'http-fastify.mjs' },
    { name: 'srvx', server: 'http-srvx.mjs', arguments: [duty] },
    { name: '@hono/node-server', server: 'http-hono.mjs', arguments: [duty] },
    ...(bun === undefined ? [] : [{ name: 'Bun.serve', server: 'http-bun.mjs', arguments: [bun, duty] }]),
    ...(duty === 'hello' && hasNginx() ? [{ name: 'nginx', server: 'http-nginx.mjs' }] : []),
  ];
}

/** All peers that serve the files below `root`; the first is the reference. */
export const filePeers = (root: string): Subject[] => [
  ...(hasNginx() ? [{ name: 'nginx', server: 'http-nginx.mjs', arguments: ['files', root] }] : []),
  { name: 'wellknown', server: 'http-wellknown.mjs', arguments: ['files', root] },
  { name: 'sirv on node:http', server: 'http-sirv.mjs', arguments: [root] },
];
