import { expect, test } from 'vitest';
import { dnsNamesIn, serverNamesOf } from '../../src/connection/certificate-names.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

test('a certificate is for its DNS names, wildcards too, in lower case', () => {
  expect(serverNamesOf(makeCertificate('Own.example', '*.wild.example').cert)).toEqual([
    'own.example',
    '*.wild.example',
  ]);
  expect(() => serverNamesOf('no PEM')).toThrow();
});

test.each([
  ['', []],
  ['DNS:a.example', ['a.example']],
  ['IP Address:127.0.0.1, DNS:xn--bcher-kva.example, email:x@y.example', ['xn--bcher-kva.example']],
  // Quoted by Node, since it can be read as more than one entry (CVE-2021-44532): a URI with a comma, a name with one.
  ['URI:"https://x/, DNS:evil.example", DNS:b.example', ['b.example']],
  ['DNS:"a.example, DNS:evil.example", DNS:c.example', ['c.example']],
  ['URI:"x\\", DNS:evil.example, \\"", DNS:d.example', ['d.example']],
  ['DNS:*, DNS:*.*.example, DNS:a*.example, DNS:.example, DNS:*.ok.example', ['*.ok.example']],
])('of %j the names are %j', (text, names) => {
  expect(dnsNamesIn(text)).toEqual(names);
});
