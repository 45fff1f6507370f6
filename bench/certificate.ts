// A certificate for the servers of a comparison, made for it by openssl.

import { execFileSync } from 'node:child_process';

/** Writes `key.pem` and `cert.pem` for localhost into a folder. */
export function makeCertificate(folder: string): void {
  const request = '-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem'.split(' ');
  execFileSync('openssl', ['req', ...request], { cwd: folder, stdio: 'ignore' });
}
