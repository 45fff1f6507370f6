// Whom a request comes from where proxies stand between (RFC 7239, and the fields before it).

import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/index.ts';
import { serveHandler } from '../serve.ts';

describe('who asks', () => {
  const seen = (lines: string, field: 'forwarded' | 'x-forwarded-for', trusted: string[] = ['192.0.2.1']): object => {
    let context: object = {};
    const { peer } = serveHandler(
      (request, { client, requestId }) => {
        context = { ...client, url: request.url, requestId };
        return new HttpResponse('x');
      },
      {},
      {
        proxies: {
          field,
          isTrusted: (address) =>
            trusted.includes(
              typeof address === 'string' ? address : address.family === 'unix' ? 'unix' : address.address,
            ),
        },
      },
    );
    peer.send(`GET /p HTTP/1.1\r\nHost: inner\r\n${lines}\r\n`);
    return context;
  };

  test('is what a trusted proxy says, and its scheme and host make the URL', () => {
    expect(
      seen(
        'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer.example\r\nX-Request-Id: abc\r\n',
        'x-forwarded-for',
      ),
    ).toEqual({
      address: '203.0.113.9',
      scheme: 'https',
      host: 'outer.example',
      url: 'https://outer.example/p',
      requestId: 'abc',
    });
  });

  test('is the other end of the connection where no proxy is trusted, whatever the fields say', () => {
    expect(
      seen('X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Request-Id: abc\r\n', 'x-forwarded-for', []),
    ).toMatchObject({ address: '192.0.2.1', scheme: 'http', host: 'inner', url: 'http://inner/p' });
    expect(seen('X-Request-Id: abc\r\n', 'x-forwarded-for', [])).toMatchObject({
      requestId: expect.stringMatching(/^[0-9a-f]{8}-1$/) as unknown,
    });
  });

  test('only one of the two fields is believed: the other is whatever a client sent', () => {
    const both = 'X-Forwarded-For: 203.0.113.9\r\nForwarded: for=198.51.100.7;proto=https\r\n';
    expect(seen(both, 'x-forwarded-for')).toMatchObject({ address: '203.0.113.9', scheme: 'http' });
    expect(seen(both, 'forwarded')).toMatchObject({ address: '198.51.100.7', scheme: 'https' });
  });

  test.each([
    [
      'a chain is read from the near end, up to the first that is not trusted',
      'X-Forwarded-For: 1.1.1.1, 203.0.113.9, 192.0.2.1\r\n',
      'x-forwarded-for',
      '203.0.113.9',
    ],
    [
      'several lines are one list',
      'X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9\r\n',
      'x-forwarded-for',
      '203.0.113.9',
    ],
    ['an address with a port', 'X-Forwarded-For: 203.0.113.9:1234\r\n', 'x-forwarded-for', '203.0.113.9'],
    ['IPv6 in its forms', 'Forwarded: for="[2001:DB8::1]:80"\r\n', 'forwarded', '2001:db8::1'],
    ['a name that hides it', 'Forwarded: for=_hidden;by=_x\r\n', 'forwarded', '_hidden'],
    ['a quoted comma is no separator', 'Forwarded: for="a,b", for=203.0.113.9\r\n', 'forwarded', '203.0.113.9'],
    [
      'quoted separators are none in the last element either',
      'Forwarded: for=1.1.1.1, by=",;";for=203.0.113.9;host="a,b;c"\r\n',
      'forwarded',
      '203.0.113.9',
    ],
    ['a quoted pair is its second character', 'Forwarded: for="203\\.0.113.9"\r\n', 'forwarded', '203.0.113.9'],
    ['a bracket with more behind it is a text', 'Forwarded: for="[2001:db8::1]x"\r\n', 'forwarded', '[2001:db8::1]x'],
    [
      'an address that is none is a text, with its port',
      'X-Forwarded-For: 1.2.3.400:80\r\n',
      'x-forwarded-for',
      '1.2.3.400:80',
    ],
    ['nothing that is said', '', 'forwarded', '192.0.2.1'],
  ] as const)('%s', (_, lines, field, address) => {
    expect(seen(lines, field)).toMatchObject({ address });
  });

  // What the client sent, and what the proxy adds behind it.
  test.each([
    ['a quote', 'for=6.6.6.6;by="', 'for=203.0.113.9;proto=https'],
    ['a quote before quotes of the proxy', 'for=6.6.6.6;by="', 'for="203.0.113.9";proto="https"'],
    ['a quoted pair', 'for=6.6.6.6;by="\\', 'for=203.0.113.9;proto=https'],
    ['a quote, and elements in its Host', 'for=6.6.6.6;by="', 'for=203.0.113.9;proto=https;host="a,for=6.6.6.6;by="'],
  ])('a client that leaves %s open takes in nothing of what the proxy says', (_, sent, added) => {
    for (const lines of [`Forwarded: ${sent}, ${added}\r\n`, `Forwarded: ${sent}\r\nForwarded: ${added}\r\n`]) {
      expect(seen(lines, 'forwarded')).toMatchObject({ address: '203.0.113.9', scheme: 'https', host: 'inner' });
      // It ends the chain, trusted or not.
      expect(seen(lines, 'forwarded', ['192.0.2.1', '203.0.113.9'])).toMatchObject({ address: '203.0.113.9' });
    }
  });

  test('each proxy of a chain has a scheme and a host of its own, or there is one for the client', () => {
    const trusted = ['192.0.2.1', '192.0.2.2'];
    const chain = 'X-Forwarded-For: 203.0.113.9, 192.0.2.2\r\n';
    expect(
      seen(`${chain}X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: outer, middle\r\n`, 'x-forwarded-for', trusted),
    ).toMatchObject({ address: '203.0.113.9', scheme: 'https', host: 'outer' });
    expect(
      seen(`${chain}X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: outer, middle\r\n`, 'x-forwarded-for'),
    ).toMatchObject({ address: '192.0.2.2', scheme: 'http', host: 'middle' });
    expect(seen(`${chain}X-Forwarded-Proto: https\r\n`, 'x-forwarded-for', trusted)).toMatchObject({
      address: '203.0.113.9',
      scheme: 'https',
    });
  });

  test('of a chain the last 32 are looked at', () => {
    const chain = Array.from({ length: 40 }, (_, index) => `10.0.0.${index}`);
    const lines = `X-Forwarded-For: ${chain.join(', ')}\r\n`;
    expect(seen(lines, 'x-forwarded-for', ['192.0.2.1', ...chain])).toMatchObject({ address: '10.0.0.8' });
  });

  test('a proxy that tells only the scheme is believed in that', () => {
    expect(seen('X-Forwarded-Proto: https\r\n', 'x-forwarded-for')).toEqual(
      expect.objectContaining({ address: '192.0.2.1', scheme: 'https', url: 'https://inner/p' }),
    );
  });

  test('a host that is none is not believed', () => {
    expect(seen('X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: a/b@c\r\n', 'x-forwarded-for')).toMatchObject({
      host: 'inner',
    });
  });
});
