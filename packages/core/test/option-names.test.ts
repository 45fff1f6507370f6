// A misspelt name is no option, wherever options are taken: it is refused, with the name that may be meant.

import { expect, test } from 'vitest';
import { createTlsContext } from '../src/index.ts';
import { createExecServer, createWaitServer, execProtocol, serveInetdConnection } from '../src/inetd/index.ts';
import { connectDatagram, socket } from '../src/socket/index.ts';
import { redisLimits } from '../../redis-limits/src/index.ts';
import { makeCertificate } from '../../../test/certificates.ts';

const exec = { listen: 'tcp://127.0.0.1:0', program: 'cat' };
const certificate = makeCertificate('localhost');
/** As a caller without a compiler gives them. */
const given = (options: object): never => options as never;

test.each<readonly [string, () => unknown, string]>([
  ['createExecServer', () => createExecServer(given({ ...exec, alow: ['10.0.0.0/8'] })), "meant may be 'allow'"],
  [
    'createExecServer, limits that need the connection to be read',
    () => createExecServer(given({ ...exec, limits: { idleTimeoutMs: 5 } })),
    'known are maxConnections, ',
  ],
  [
    'createWaitServer',
    () => createWaitServer(given({ ...exec, maxStartPerMinute: 1 })),
    "meant may be 'maxStartsPerMinute'",
  ],
  [
    'createWaitServer, which sees no peer',
    () => createWaitServer(given({ ...exec, allow: [] })),
    'known are program, ',
  ],
  ['execProtocol', () => execProtocol(given({ program: 'cat', argument: [] })), "meant may be 'arguments'"],
  ['serveInetdConnection', () => serveInetdConnection(given({}), given({ limit: {} })), "meant may be 'limits'"],
  ['socket', () => socket('stream', given({ limit: {} })), "meant may be 'limits'"],
  ['socket for datagrams', () => socket('datagram', given({ maxQueue: 1 })), "meant may be 'maxQueued'"],
  ['connectDatagram', () => connectDatagram('udp://127.0.0.1:9', given({ onMesage: 1 })), "meant may be 'onMessage'"],
  [
    'createTlsContext, clientCertificates',
    () => createTlsContext({ ...certificate, clientCertificates: given({ ca: certificate.cert, require: true }) }),
    "meant may be 'required'",
  ],
  [
    'createTlsContext',
    () => createTlsContext(given({ ...certificate, minVersions: 'TLSv1.3' })),
    "meant may be 'minVersion'",
  ],
  [
    "createTlsContext with a name of Node's",
    () => createTlsContext(given({ ...certificate, requestCert: true })),
    "'clientCertificates' asks for them",
  ],
  [
    'createTlsContext, a certificate by name',
    () => createTlsContext({ ...certificate, byServerName: { 'a.example': given({ ...certificate, certs: 1 }) } }),
    "meant may be 'cert'",
  ],
  ['redisLimits', () => redisLimits(given({ url: 'redis://127.0.0.1', pasword: 'x' })), "meant may be 'password'"],
])('%s', async (_, make, hint) => {
  const error: unknown = await Promise.resolve()
    .then(make)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error).toMatchObject({ code: 'OPTION_INVALID', fault: 'local' });
  expect(String(error)).toMatch(/ is unknown/);
  expect(String(error)).toContain(hint);
});
