// Over TLS, by HTTP/1.1 and by HTTP/2: a handler, and files. Needs h2load (nghttp2) and openssl.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { tlsPeers } from './http-peers.ts';
import { compare, runClient } from './measure.ts';

/** What a client says it speaks; streams of one connection are asked for side by side. */
const VERSIONS = [
  { name: 'http-tls', title: 'HTTP/1.1 over TLS', options: ['--h1', '-c16'] },
  { name: 'http2', title: 'HTTP/2 over TLS', options: ['-c4', '-m8'] },
];
const ANSWERS = [
  { name: 'hello', byteLength: undefined },
  { name: '1k', byteLength: 1_024 },
  { name: '64k', byteLength: 65_536 },
  { name: '1m', byteLength: 1_048_576 },
];

/** Runs h2load for five seconds, since less leaves much of it to V8's interpreter, and tells how many requests were answered. Throws when one was not. */
function h2load(port: number, path: string, options: readonly string[]): Promise<number> {
  const report = runClient('h2load', '-t1', '-D5', ...options, `https://127.0.0.1:${port}${path}`);
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(report) ?? [];
  if (succeeded === undefined || failed !== '0') throw new Error(report);
  return Promise.resolve(Number(succeeded));
}

/** The comparisons over TLS by name, `http-tls-hello` and so on; `only` picks subjects by their name. */
export const tlsComparisons = Object.fromEntries(
  VERSIONS.flatMap(({ name: version, title, options }) =>
    ANSWERS.map(({ name, byteLength }) => [
      `${version}-${name}`,
      async (rounds: number, only: RegExp): Promise<void> => {
        const folder = mkdtempSync(join(tmpdir(), 'wellknown-bench-tls-'));
        try {
          makeCertificate(folder);
          const file = join(folder, 'file.bin');
          if (byteLength !== undefined) writeFileSync(file, Buffer.alloc(byteLength, 'abcdefghijklmnop'));
          // Old enough to be no file in the making.
          if (byteLength !== undefined) utimesSync(file, 1_700_000_000, 1_700_000_000);
          const peers = tlsPeers(byteLength === undefined ? 'hello' : 'files', folder);
          await compare(
            `${title}, ${name}`,
            peers.filter((subject, index) => index === 0 || only.test(subject.name)),
            (port) => h2load(port, byteLength === undefined ? '/' : '/file.bin', options),
            rounds,
          );
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    ]),
  ),
);
