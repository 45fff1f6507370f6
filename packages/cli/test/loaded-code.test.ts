// What a process of plain services does not load. A worker that answers with no class of the platform has no use for them,
// and they are as much of its start as Node itself (`pnpm bench startup`).

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lacks, startProgram } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { programArguments } from '../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

/** In each process: writes at its end what of Node it has loaded. */
const REPORT = `data:text/javascript,${encodeURIComponent(`
  import { writeFileSync } from 'node:fs';
  process.on('exit', () =>
    writeFileSync(process.env.LOADED_FOLDER + '/' + process.pid, process.moduleLoadList.join('\\n')));
`)}`;

/** What the primary and its workers have loaded after `use`. */
async function loadedBy(
  args: readonly string[],
  use: (urlOf: (service: string) => string) => void,
): Promise<{ primary: readonly string[]; workers: readonly (readonly string[])[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-loaded-'));
  const program = await startProgram(['--import', REPORT, ...WELLKNOWN, ...args], { env: { LOADED_FOLDER: folder } });
  try {
    use((service) => program.endpoints[service]?.[0] ?? '');
  } finally {
    await program.stop();
  }
  const loaded = new Map(
    readdirSync(folder).map((pid) => [Number(pid), readFileSync(path.join(folder, pid), 'utf8').split('\n')]),
  );
  const primary = loaded.get(program.pid) ?? [];
  loaded.delete(program.pid);
  return { primary, workers: [...loaded.values()] };
}

const FETCH_CLASSES = 'NativeModule internal/deps/undici/undici';
const HTTP2 = 'NativeModule http2';
const UNUSED = [FETCH_CLASSES, HTTP2];

const get = (url: string, ...args: string[]): string =>
  spawnSync('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, url], { encoding: 'utf8' }).stdout;

describe.skipIf(lacks('curl'))('without a handler of the user’s', () => {
  test('`up` answers, and no process loads the fetch classes or HTTP/2', async () => {
    const offset = 20_000 + Math.floor(Math.random() * 12_000);
    const { primary, workers } = await loadedBy(['up', '--workers', '1', '--port-offset', String(offset)], () => {
      expect([get(`http://127.0.0.1:${80 + offset}/`), get(`http://127.0.0.1:${80 + offset}/x`)]).toEqual([
        '200',
        '404',
      ]);
    });
    expect([...primary, ...workers.flat()].filter((name) => UNUSED.includes(name))).toEqual([]);
  });

  test('files are served without them, whatever is asked for', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-files-'));
    writeFileSync(path.join(folder, 'large.txt'), 'large '.repeat(1e6));
    const { workers } = await loadedBy(
      ['http', folder, '--listen', 'tcp://127.0.0.1:0', '--workers', '1', '--compress', '--security-headers'],
      (urlOf) => {
        const url = urlOf('http').replace('tcp:', 'http:');
        expect([
          get(url),
          get(`${url}/large.txt`),
          get(`${url}/large.txt`, '-H', 'Accept-Encoding: gzip'),
          get(`${url}/large.txt`, '-r', '1-9'),
          get(`${url}/large.txt`, '-r', '9000000-'),
          get(`${url}/large.txt`, '-r', '1-2,4-5'),
          get(`${url}/large.txt`, '-I'),
          get(`${url}/large.txt`, '-H', 'If-None-Match: *'),
          get(`${url}/large.txt`, '-d', 'content'),
          get(`${url}/missing`),
        ]).toEqual(['200', '200', '200', '206', '416', '206', '200', '304', '405', '404']);
      },
    );
    expect(workers.map((loaded) => loaded.includes(FETCH_CLASSES))).toEqual([false]);
  });
});

test('where there is TLS, HTTP/2 is loaded before the first connection', async () => {
  const { certFile, keyFile } = makeCertificate('localhost');
  const { primary, workers } = await loadedBy(
    [
      ...['http', path.dirname(certFile), '--listen', 'tls://127.0.0.1:0', '--workers', '1'],
      ...['--tls-key', keyFile, '--tls-cert', certFile],
    ],
    () => undefined,
  );
  expect([primary.includes(HTTP2), workers.map((loaded) => loaded.includes(HTTP2))]).toEqual([false, [true]]);
});

test('a handler finds the fetch classes loaded before its first request', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-handler-'));
  writeFileSync(path.join(folder, 'app.mjs'), "export default () => new Response('x');");
  const args = ['http', '--handler', path.join(folder, 'app.mjs'), '--listen', 'tcp://127.0.0.1:0', '--workers', '1'];
  for (const more of [[], ['--platform-classes']]) {
    const { workers } = await loadedBy([...args, ...more], () => undefined);
    expect(workers.map((loaded) => loaded.includes(FETCH_CLASSES))).toEqual([true]);
  }
});
