// Certificates for tests, made by openssl, each in a folder of its own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for these server names, the first one being its subject. */
export const makeCertificate = (...names: readonly [string, ...string[]]): TestCertificate =>
  request(names[0], ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`]);

/** One without a subjectAltName: it is for no server name. */
export const makeNamelessCertificate = (subject: string): TestCertificate => request(subject, []);

function request(subject: string, extensions: readonly string[]): TestCertificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-tls-'));
  const certFile = path.join(folder, 'cert.pem');
  const keyFile = path.join(folder, 'key.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync(
    'openssl',
    ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${subject}`, ...extensions, '-out', certFile],
    { stdio: 'ignore' },
  );
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}
