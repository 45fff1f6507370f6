// The options that tune workers and connections: what they come to, and what is said of a wrong one.

import { expect, test } from 'vitest';
import { parseServerArguments, type CommonValues } from '../../src/cli/index.ts';

const parse = (...argv: string[]) => parseServerArguments(argv, { options: [], schemes: ['tcp', 'udp'] });

function valuesOf(...argv: string[]): CommonValues {
  const request = parse(...argv);
  if (!request.ok || request.value.type !== 'serve') throw new Error(`not accepted: ${argv.join(' ')}`);
  return request.value.common;
}

test('what is not given keeps the defaults of core', () => {
  expect(valuesOf()).toMatchObject({ supervision: {}, connectionLimits: {}, backlog: undefined, unixMode: undefined });
});

test('--dispatch takes the word of former versions beside the new one, and its messages name the new one alone', () => {
  expect(valuesOf('--dispatch', 'source-hash').dispatch).toBe('source-hash');
  expect(valuesOf('--dispatch', 'address').dispatch).toBe('source-hash');
  for (const word of ['port', 'toString'])
    expect(parse('--dispatch', word)).toMatchObject({
      ok: false,
      error: `--dispatch is '${word}', allowed is round-robin, least-connections, source-hash`,
    });
});

test('seconds become milliseconds, and every option reaches what it is for', () => {
  expect(
    valuesOf(
      '--max-served',
      '100',
      '--max-age',
      '60',
      '--heartbeat-timeout',
      '10',
      '--late-beat',
      '0.25',
      '--spare',
      '2-4',
      '--max-workers',
      '16',
    ),
  ).toMatchObject({
    supervision: {
      maxServed: 100,
      maxAgeMs: 60_000,
      heartbeatTimeoutMs: 10_000,
      lateBeatMs: 250,
      spare: { min: 2, max: 4, maxWorkers: 16 },
    },
  });
  expect(
    valuesOf(
      '--lifetime',
      '3600',
      '--handshake-timeout',
      '1.5',
      '--proxy-timeout',
      '2',
      '--write-timeout',
      '0',
      '--tcp-keep-alive',
      '60',
      '--min-rate',
      '50',
    ).connectionLimits,
  ).toEqual({
    lifetimeMs: 3_600_000,
    handshakeTimeoutMs: 1_500,
    proxyHeaderTimeoutMs: 2_000,
    writeTimeoutMs: 0,
    keepAliveMs: 60_000,
    minReadBytesPerSecond: 50,
    minWriteBytesPerSecond: 50,
  });
  expect(valuesOf('--backlog', '4096', '--unix-mode', '0660')).toMatchObject({ backlog: 4096, unixMode: 0o660 });
  expect(valuesOf('--max-unsent', '1000000')).toMatchObject({ maxUnsentBytesTotal: 1_000_000 });
});

test.each([
  [['--max-served', '0'], "--max-served is '0', allowed is a whole number from 1"],
  [['--max-age', '0.5'], "--max-age is '0.5', allowed is a number from 1"],
  [['--heartbeat-timeout', '1'], "--heartbeat-timeout is '1', allowed is a number from 2"],
  [['--late-beat', '0.09'], "--late-beat is '0.09', allowed is a number from 0.1"],
  [
    ['--spare', '3', '--max-workers', '4'],
    "--spare is '3', allowed is MIN-MAX, two whole numbers from 1, the first not above the second",
  ],
  [
    ['--spare', '3-2', '--max-workers', '4'],
    "--spare is '3-2', allowed is MIN-MAX, two whole numbers from 1, the first not above the second",
  ],
  [['--spare', '0-2', '--max-workers', '4'], "--spare is '0-2', allowed is MIN-MAX"],
  [['--spare', '1-2'], '--spare needs --max-workers N, how many there may be in all'],
  [['--max-workers', '4'], '--max-workers is of no use without --spare MIN-MAX'],
  [['--max-workers', '1025', '--spare', '1-2'], "--max-workers is '1025', allowed is a whole number from 1 to 1024"],
  [['--workers', '0', '--spare', '1-2', '--max-workers', '4'], '--spare is for workers: it goes without --workers 0'],
  [['--max-age', '60', '--workers', '0'], '--max-age is for workers: it goes without --workers 0'],
  [['--handshake-timeout', '0'], "--handshake-timeout is '0', allowed is a number from 0.1"],
  [['--tcp-keep-alive', '0.5'], "--tcp-keep-alive is '0.5', allowed is a whole number from 0 to 32767"],
  [['--min-rate', '1.5'], "--min-rate is '1.5', allowed is a whole number from 0"],
  [['--backlog', '0'], "--backlog is '0', allowed is a whole number from 1 to 65535"],
  [['--unix-mode', '999'], "--unix-mode is '999', allowed are three octal digits, as in 0660"],
  [['--listen', '8080'], "; meant may be 'tcp://127.0.0.1:8080', or 'tcp://:8080' for all addresses"],
  [['--listen', ':8080'], "; meant may be 'tcp://:8080'"],
  [['--listen', 'localhost:8080'], "; meant may be 'tcp://localhost:8080'"],
  [['--listen', '[::1]:8080'], "; meant may be 'tcp://[::1]:8080'"],
  [['--listen', 'https://localhost:8443/'], "; meant may be 'tls://localhost:8443'"],
  [
    ['--listen', 'somewhere'],
    "--listen: endpoint 'somewhere': no scheme, expected tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:PATH or unix:@NAME, fd://N or systemd:NAME",
  ],
])('%j is refused by name, with what was given and what is allowed', (argv, words) => {
  const request = parse(...argv);
  expect(request).toMatchObject({ ok: false, error: expect.stringContaining(words) as string });
});
