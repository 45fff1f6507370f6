import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatEndpoint, parseEndpoint, type Endpoint } from '../../src/address/index.ts';

test('a TLS endpoint is a place to listen like a TCP one', () => {
  expect(parseEndpoint('tls://[::1]:https')).toEqual({ ok: true, value: { scheme: 'tls', host: '::1', port: 443 } });
  expect(formatEndpoint({ scheme: 'tls', host: '::1', port: 443 })).toBe('tls://[::1]:443');
});

describe('endpoint strings', () => {
  test.each<[string, Endpoint]>([
    ['tcp://127.0.0.1:80', { scheme: 'tcp', host: '127.0.0.1', port: 80 }],
    ['tcp://:0', { scheme: 'tcp', host: '', port: 0 }],
    ['udp://[::1]:echo', { scheme: 'udp', host: '::1', port: 7 }],
    ['tcp://[fe80::1%eth0]:21', { scheme: 'tcp', host: 'fe80::1%eth0', port: 21 }],
    ['tcp://localhost:HTTP', { scheme: 'tcp', host: 'localhost', port: 80 }],
    ['tcp://ftp.example.org:65535', { scheme: 'tcp', host: 'ftp.example.org', port: 65535 }],
    ['unix:/run/web.sock', { scheme: 'unix', path: '/run/web.sock', abstract: false }],
    ['unix:@wellknown', { scheme: 'unix', path: 'wellknown', abstract: true }],
    [`unix:${'x'.repeat(107)}`, { scheme: 'unix', path: 'x'.repeat(107), abstract: false }],
  ])('%s is read', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual({ ok: true, value: endpoint });
  });

  test.each([
    ['127.0.0.1:80', 'scheme', 'no scheme'],
    ['', 'scheme', 'no scheme'],
    ['http://127.0.0.1:80', 'scheme', "unknown scheme 'http'"],
    ['tcp:127.0.0.1:80', 'scheme', "expected 'tcp://HOST:PORT'"],
    ['tcp://127.0.0.1', 'port', 'the port is missing'],
    ['tcp://127.0.0.1:', 'port', 'the port is empty'],
    ['tcp://127.0.0.1:65536', 'port', 'above 65535'],
    ['tcp://127.0.0.1:-1', 'port', "'-1' is neither a port number"],
    ['tcp://127.0.0.1:gopher', 'port', "'gopher' is neither a port number nor a known service name"],
    ['tcp://127.0.0.1:80/path', 'port', "'80/path'"],
    ['tcp://127.0.0.1:toString', 'port', 'neither'],
    ['tcp://256.0.0.1:80', 'host', "'256.0.0.1' is not an IPv4 address"],
    ['tcp://127.0.0.01:80', 'host', 'not an IPv4 address'],
    ['tcp://::1:80', 'host', 'stands in brackets'],
    ['tcp://[::1:80', 'host', "'[' without ']'"],
    ['tcp://[::g]:80', 'host', "'::g' is not an IPv6 address"],
    ['tcp://[::1]', 'port', "missing after '[::1]'"],
    ['tcp://exa mple:80', 'host', "'exa mple' is not a host name"],
    ['tcp://-x:80', 'host', 'not a host name'],
    ['unix:', 'path', 'the path is empty'],
    ['unix:@', 'path', 'the abstract name is empty'],
    [`unix:${'x'.repeat(108)}`, 'path', '108 bytes, at most 107'],
    ['unix:a\0b', 'path', 'NUL'],
  ])('%s is refused for its %s', (text, part, words) => {
    const parsed = parseEndpoint(text);
    expect(parsed.ok ? undefined : parsed.error).toMatchObject({
      part,
      message: expect.stringContaining(words) as string,
    });
  });

  test('writing and reading again gives the same endpoint', () => {
    const endpoint = fc.oneof(
      fc.record({
        scheme: fc.constantFrom('tcp' as const, 'udp' as const),
        host: fc.oneof(fc.constant(''), fc.ipV4(), fc.ipV6(), fc.domain()),
        port: fc.integer({ min: 0, max: 65535 }),
      }),
      fc.record({
        scheme: fc.constant('unix' as const),
        path: fc.stringMatching(/^[a-z/][a-z/.]{0,80}$/),
        abstract: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(endpoint, (value) => {
        expect(parseEndpoint(formatEndpoint(value))).toEqual({ ok: true, value });
      }),
    );
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof parseEndpoint(text).ok).toBe('boolean');
      }),
    );
  });
});
