// Several certificates on the command line: which one a client gets, and what is said when they do not fit.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { eventually, startProgram, type Program } from '../../src/testing/index.ts';
import { makeCertificate, makeNamelessCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import { whoCommand } from '../fixtures/who-command.ts';
import { runHere } from '../../../../test/command-line.ts';
import { lacksOtherUser } from '../../../../test/other-user.ts';
import { programArguments } from '../../../../test/programs.ts';
import { runCommand } from '../../src/cli/index.ts';

const PROGRAM = programArguments('packages/core/test/fixtures/who-program.ts');
const LISTEN = ['--listen', 'tls://127.0.0.1:0'];

let first: TestCertificate;
let second: TestCertificate;
beforeAll(() => {
  // The wildcard of the first covers a name that the second has exactly.
  first = makeCertificate('first.example', '*.both.example');
  second = makeCertificate('second.example', 'x.both.example', '*.wild.example', 'first.example');
});

const running: Program[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
});

async function program(...options: string[]): Promise<Program & { url: string }> {
  const started = await startProgram([...PROGRAM, ...LISTEN, '--drain-timeout', '0.1', ...options]);
  running.push(started);
  return { ...started, url: started.endpoints.who?.[0] ?? '' };
}

const pair = ({ certFile, keyFile }: { certFile: string; keyFile: string }): string[] => [
  '--tls-cert',
  certFile,
  '--tls-key',
  keyFile,
];

/** The common name of the certificate that openssl s_client is shown, and its fingerprint. */
function shown(url: string, serverName: string): { name: string; fingerprint: string } {
  const name = serverName === '' ? ['-noservername'] : ['-servername', serverName];
  const { stdout } = spawnSync('openssl', ['s_client', '-connect', url.slice('tls://'.length), ...name], {
    input: '',
    encoding: 'utf8',
    timeout: 10_000,
  });
  const subject = execFileSync('openssl', ['x509', '-noout', '-subject', '-fingerprint', '-nameopt', 'multiline'], {
    input: stdout,
    encoding: 'utf8',
  });
  return {
    name: /commonName\s*=\s*(\S+)/.exec(subject)?.[1] ?? '',
    fingerprint: /Fingerprint=(\S+)/i.exec(subject)?.[1] ?? '',
  };
}

const noOtherUser = lacksOtherUser(PROGRAM.at(-1) ?? '');
if (noOtherUser !== undefined) console.log(`skipped: ${noOtherUser}`);

test.skipIf(noOtherUser)(
  'a key that only root may read serves workers that are another user, and so does the one that takes its place',
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-tls-'));
    const files = { certFile: path.join(folder, 'cert'), keyFile: path.join(folder, 'key') };
    const use = (certificate: TestCertificate): void => {
      copyFileSync(certificate.certFile, files.certFile);
      copyFileSync(certificate.keyFile, files.keyFile);
      chmodSync(files.keyFile, 0o600);
    };
    use(first);
    // The folder is closed, as that of certbot is, to others than root.
    const server = await program('--workers', '1', '--run-as', 'nobody', ...pair(files));
    expect(shown(server.url, '').name).toBe('first.example');
    use(second);
    server.signal('SIGHUP');
    await eventually(() => shown(server.url, '').name === 'second.example');
  },
);

describe('of two certificates', () => {
  test('openssl s_client gets the one that has the name: exactly, then by wildcard, the first where both have it or none', async () => {
    const { url } = await program('--workers', '1', ...pair(first), ...pair(second));
    const wanted = {
      'second.example': 'second.example',
      'SECOND.example': 'second.example',
      'first.example': 'first.example',
      'x.both.example': 'second.example',
      'y.both.example': 'first.example',
      'a.wild.example': 'second.example',
      'a.b.wild.example': 'first.example',
      'unknown.example': 'first.example',
      '': 'first.example',
    };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, shown(url, name).name]))).toEqual(wanted);
  });

  test.each(['0', '1'])(
    'both are read again on HUP with %s workers, and a wrong second one leaves both and says which files',
    async (workers) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-tls-'));
      const replaced = { certFile: path.join(folder, 'cert'), keyFile: path.join(folder, 'key') };
      const use = (certificate: TestCertificate): void => {
        copyFileSync(certificate.certFile, replaced.certFile);
        copyFileSync(certificate.keyFile, replaced.keyFile);
      };
      use(second);
      const server = await program('--workers', workers, ...pair(first), ...pair(replaced));
      const { url } = server;
      const before = shown(url, 'second.example');
      expect(before.name).toBe('second.example');
      copyFileSync(first.keyFile, replaced.keyFile);
      server.signal('SIGHUP');
      await eventually(() =>
        server
          .stderr()
          .includes(`--tls-cert '${replaced.certFile}' and --tls-key '${replaced.keyFile}' can't be used together`),
      );
      expect(shown(url, 'second.example')).toEqual(before);
      use(makeCertificate('second.example', 'third.example'));
      server.signal('SIGHUP');
      await eventually(() => shown(url, 'third.example').name === 'second.example');
      expect(shown(url, 'second.example').fingerprint).not.toBe(before.fingerprint);
      expect(shown(url, 'first.example').name).toBe('first.example');
    },
  );
});

describe('the command line is refused, which says why,', () => {
  async function complaint(...options: string[]): Promise<string> {
    const { status, stdout, stderr } = await runHere(() =>
      runCommand(whoCommand, pino, 'who', [...LISTEN, ...options]),
    );
    expect([status, stdout]).toEqual([2, '']);
    return stderr;
  }

  test('when the counts differ', async () => {
    expect(await complaint(...pair(first), '--tls-cert', second.certFile)).toContain(
      '--tls-cert was given 2 times and --tls-key once: they go in pairs',
    );
    expect(await complaint('--tls-key', first.keyFile, ...pair(first), ...pair(second))).toContain(
      '--tls-cert was given 2 times and --tls-key 3 times',
    );
  });

  test('when a key is another certificate’s', async () => {
    expect(
      await complaint(
        '--tls-cert',
        first.certFile,
        '--tls-cert',
        second.certFile,
        '--tls-key',
        first.keyFile,
        '--tls-key',
        first.keyFile,
      ),
    ).toContain(
      `--tls-cert '${second.certFile}' and --tls-key '${first.keyFile}' can't be used together: the key is not that of the certificate`,
    );
  });

  test('when a further certificate is for no name, so that no client could get it', async () => {
    const nameless = makeNamelessCertificate('nameless');
    expect(await complaint(...pair(first), ...pair(nameless))).toContain(
      `--tls-cert '${nameless.certFile}' would never be used`,
    );
    const { url } = await program('--workers', '0', ...pair(nameless), ...pair(first));
    expect([shown(url, 'first.example').name, shown(url, 'other.example').name]).toEqual(['first.example', 'nameless']);
  });

  test('when a further file is not there', async () => {
    const missing = path.join(path.dirname(first.certFile), 'missing.pem');
    expect(await complaint(...pair(first), '--tls-cert', missing, '--tls-key', second.keyFile)).toContain(
      `--tls-cert '${missing}' can't be read`,
    );
    expect(await complaint('--tls-cert', first.keyFile, '--tls-key', first.certFile)).toContain(
      'together: the first is the key and the second the certificate',
    );
    expect(await complaint('--tls-cert', first.certFile, '--tls-key', first.certFile)).toContain(
      'together: the second holds no private key in PEM (-----BEGIN PRIVATE KEY-----)',
    );
    writeFileSync(missing, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n');
    expect(await complaint('--tls-cert', first.certFile, '--tls-key', missing)).toContain(
      'together: the key has a passphrase, which there is nobody to ask for',
    );
    writeFileSync(missing, 'no PEM');
    expect(await complaint(...pair(first), '--tls-cert', missing, '--tls-key', second.keyFile)).toContain(
      `--tls-cert '${missing}' and --tls-key '${second.keyFile}' can't be used together`,
    );
  });
});
