// Files as curl gets them from the program: resumed, compressed, slowly, and while they change.

import { execFile, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { lacks, lacksFeature, startProgram, type Program } from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../../test/certificates.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';

const run = promisify(execFile);
const PROGRAM = programArguments('packages/http/src/main.ts');
const OLD = new Date('2025-01-01T00:00:00Z');
// More than the kernel holds for a client that reads slowly.
const SIZE = 40_000_000;
const SLOWLY = ['--limit-rate', '40M'];
const COMPRESSIBLE = Array.from({ length: 5_000 }, (_, line) => `line ${line}`).join('\n');

/** Whether the curl of the system was built with what a test needs. */
const curlHas = (feature: string): boolean =>
  new RegExp(`^Features:.*\\b${feature}\\b`, 'm').test(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout);

describe.skipIf(lacks('curl'))('curl', () => {
  let base = '';
  let site = '';
  let program: Program;
  let origin = '';
  let secureOrigin = '';

  beforeAll(async () => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-curl-'));
    site = path.join(base, 'site');
    fs.mkdirSync(site);
    const { certFile, keyFile } = makeCertificate('localhost');
    program = await startProgram(
      [
        ...PROGRAM,
        site,
        '--workers',
        '1',
        '--listen',
        'tcp://127.0.0.1:0',
        '--listen',
        'tls://127.0.0.1:0',
        '--tls-cert',
        certFile,
        '--tls-key',
        keyFile,
        '--append-only',
        '\\.log$',
        '--log-format',
        'json',
      ],
      { cwd: ROOT },
    );
    const url = (scheme: string, web: string): string =>
      (program.endpoints.http?.find((endpoint) => endpoint.startsWith(scheme)) ?? '').replace(scheme, web);
    origin = url('tcp:', 'http:');
    secureOrigin = url('tls:', 'https:');
  });
  afterAll(async () => {
    await program.stop();
    fs.rmSync(base, { recursive: true });
  });
  afterEach(() => {
    for (const name of fs.readdirSync(base)) if (name.startsWith('got-')) fs.rmSync(path.join(base, name));
  });

  function put(name: string, content: Uint8Array | string): string {
    const file = path.join(site, name);
    fs.writeFileSync(file, content);
    fs.utimesSync(file, OLD, OLD);
    return file;
  }

  /**
   * Runs curl, whose file is under way once `meanwhile` happens. Its exit status, the size of what arrived, and new
   * lines of the log.
   */
  async function download(
    url: string,
    meanwhile: (pid: number) => void,
    options: readonly string[] = [],
  ): Promise<{ status: number | null; got: string; lines: string[] }> {
    const got = path.join(base, `got-${path.basename(url)}`);
    const logged = program.stderr().length;
    const child = spawn('curl', ['-sS', '-k', '--max-time', '30', ...SLOWLY, ...options, '-o', got, url], {
      stdio: 'ignore',
    });
    const status = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const isUnderWay = (): boolean => fs.existsSync(got) && fs.statSync(got).size > 100_000;
    while (child.exitCode === null && !isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 5));
    meanwhile(child.pid ?? 0);
    const ended = await status;
    // Whatever the log has to say of the download is said before the next response.
    await run('curl', ['-sS', '-o', '/dev/null', `${origin}/`]);
    return {
      status: ended,
      got,
      lines: program
        .stderr()
        .slice(logged)
        .split('\n')
        .filter((line) => line !== ''),
    };
  }

  test('-C - gets what is missing of a download that was killed, and no more', async () => {
    const content = Buffer.alloc(SIZE);
    // Nothing repeats, so that a piece at the wrong place shows.
    for (let offset = 0; offset < SIZE; offset += 4) content.writeUInt32LE(offset, offset);
    put('resumed.bin', content);
    const { status, got } = await download(`${origin}/resumed.bin`, (pid) => process.kill(pid, 'SIGKILL'));
    const partBytes = fs.statSync(got).size;
    expect(status).toBeNull();
    expect(partBytes).toBeLessThan(SIZE);
    const { stdout } = await run('curl', [
      '-sS',
      '-C',
      '-',
      '-o',
      got,
      '-w',
      '%{http_code} %{size_download}',
      `${origin}/resumed.bin`,
    ]);
    expect(stdout).toBe(`206 ${SIZE - partBytes}`);
    expect(fs.readFileSync(got).equals(content)).toBe(true);
  });

  test('-C - gets what a log has gained since', async () => {
    const file = put('growing.log', 'first\n');
    const got = path.join(base, 'got-growing.log');
    await run('curl', ['-sS', '-o', got, `${origin}/growing.log`]);
    fs.appendFileSync(file, 'second\n');
    // What is in memory is believed for a second.
    await run('curl', [
      '-sS',
      '--retry',
      '5',
      '--retry-delay',
      '1',
      '--retry-all-errors',
      '-f',
      '-C',
      '-',
      '-o',
      got,
      `${origin}/growing.log`,
    ]);
    expect(fs.readFileSync(got, 'utf8')).toBe('first\nsecond\n');
  });

  test
    .skipIf(
      lacks('zstd') ??
        lacksFeature('a curl with brotli and zstd', () => curlHas('brotli') && curlHas('zstd') && curlHas('libz')),
    )
    .each<readonly [coding: string, extension: string, compress: (file: string) => Promise<unknown>]>([
      ['gzip', '.gz', async (file) => fs.writeFileSync(`${file}.gz`, zlib.gzipSync(fs.readFileSync(file)))],
      ['br', '.br', async (file) => fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(fs.readFileSync(file)))],
      ['zstd', '.zst', (file) => run('zstd', ['-q', file, '-o', `${file}.zst`])],
    ])('--compressed takes %s, and has the original of it', async (coding, extension, compress) => {
    const file = put(`${coding}.txt`, COMPRESSIBLE);
    await compress(file);
    const compressedBytes = fs.statSync(file + extension).size;
    const got = path.join(base, `got-${coding}.txt`);
    const ask = async (...options: readonly string[]): Promise<string> =>
      (
        await run('curl', [
          '-sS',
          '-o',
          got,
          ...options,
          '-w',
          '%{http_code} %{size_download} %header{content-encoding} %header{vary}',
          `${origin}/${coding}.txt`,
        ])
      ).stdout;
    expect(await ask('--compressed')).toBe(`200 ${compressedBytes} ${coding} Accept-Encoding`);
    expect(fs.readFileSync(got, 'utf8') === COMPRESSIBLE).toBe(true);
    expect(await ask()).toBe(`200 ${COMPRESSIBLE.length}  Accept-Encoding`);
    expect(fs.readFileSync(got, 'utf8') === COMPRESSIBLE).toBe(true);
  });

  describe.each([
    ['HTTP/1.1', (): string => origin, 18],
    ['HTTP/2', (): string => secureOrigin, 92],
  ] as const)('over %s', (_, server, brokenOff) => {
    test.each<readonly [how: string, change: (file: string) => void, told: RegExp]>([
      ['truncated', (file) => fs.truncateSync(file, 10), /it was cut from 40000000 to 10 bytes/],
      [
        'written over and longer',
        (file) => fs.writeFileSync(file, Buffer.alloc(SIZE + 1), { flag: 'r+' }),
        /it grew from 40000000 to 40000001 bytes/,
      ],
    ])(
      'fails when a file is %s midway, and the log says so once',
      async (_how, change, told) => {
        const file = put('changing.bin', Buffer.alloc(SIZE));
        const { status, got, lines } = await download(`${server()}/changing.bin`, () => change(file));
        expect(status).toBe(brokenOff);
        expect(fs.statSync(got).size).toBeLessThan(SIZE);
        expect(lines).toEqual([expect.stringMatching(told)]);
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({
          method: 'GET',
          target: '/changing.bin',
          msg: 'a response broke off',
        });
      },
      40_000,
    );

    test.each<readonly [how: string, name: string, change: (file: string) => void]>([
      ['a file that is removed midway', 'removed.bin', (file) => fs.rmSync(file)],
      ['a log that grows midway', 'growing.log', (file) => fs.appendFileSync(file, 'more')],
    ])(
      'gets %s whole',
      async (_how, name, change) => {
        const file = put(name, Buffer.alloc(SIZE));
        const { status, got, lines } = await download(`${server()}/${name}`, () => change(file));
        expect([status, fs.statSync(got).size, lines]).toEqual([0, SIZE, []]);
      },
      40_000,
    );
  });
});
