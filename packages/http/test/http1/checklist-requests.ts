// The checklist's rows about requests. Section numbers without a word before them are of RFC 9112 or RFC 9110.

import { HttpResponse } from '../../src/fetch/response.ts';
import { accepted, chunked, echo, get, hello, post, refused, type Row } from './checklist.ts';

const GET = get();
const long = (byteLength: number): string => 'x'.repeat(byteLength);

export const REQUEST_ROWS: readonly Row[] = [
  {
    id: 1,
    section: '9112 §2.2',
    rule: 'octets are parsed, not decoded text',
    cases: [
      // U+560D and U+560A end in CR and LF where code points are cut to octets.
      {
        input: get('X: \xe5\x98\x8d\xe5\x98\x8aSet-Cookie: a\r\n'),
        responses: [[200, 'null']],
        closes: false,
        handler: (request) => new HttpResponse(String(request.headers.get('set-cookie'))),
      },
      ...accepted(get('X: \xe2\x80\xa8\xff\r\n')),
    ],
  },
  {
    id: 2,
    section: '9112 §2.2',
    rule: 'one or two empty lines in front are ignored',
    cases: [...accepted(`\r\n${GET}`, `\r\n\r\n${GET}`), ...refused(400, `\r\n\r\n\r\n${GET}`)],
  },
  {
    id: 3,
    section: '9112 §2.2',
    rule: 'LF alone ends no line',
    cases: refused(
      400,
      'GET / HTTP/1.1\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\n',
    ),
  },
  {
    id: 4,
    section: '9112 §2.2',
    rule: 'no bare CR (CVE-2023-30589)',
    cases: refused(
      400,
      get('X: a\rb\r\n'),
      'GET / HTTP/1.1\r\nHost: a\r\n\rX',
      'GET / HTTP/1.1\rHost: a\r\n\r\n',
      'GET /\r HTTP/1.1\r\nHost: a\r\n\r\n',
    ),
  },
  {
    id: 5,
    section: '9112 §2.2',
    rule: 'no whitespace between request line and first field',
    cases: refused(400, 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'GET / HTTP/1.1\r\n\tX: a\r\nHost: a\r\n\r\n'),
  },
  {
    id: 6,
    section: '9112 §3',
    rule: 'exactly one space on each side of the target',
    cases: refused(
      400,
      'GET  / HTTP/1.1\r\n',
      'GET /  HTTP/1.1\r\n',
      'GET\t/ HTTP/1.1\r\n',
      'GET /\tHTTP/1.1\r\n',
      'GET / HTTP/1.1 \r\n',
      ' GET / HTTP/1.1\r\n',
    ),
  },
  {
    id: 7,
    section: '9112 §2.3',
    rule: 'no HTTP/0.9, nothing missing',
    cases: refused(400, 'GET /\r\n', 'GET\r\n', 'GET \r\n', 'GET / \r\n'),
  },
  {
    id: 8,
    section: '9112 §2.3',
    rule: 'the version is HTTP/ in upper case, DIGIT "." DIGIT',
    cases: refused(
      400,
      ...['http/1.1', 'HTTP/1', 'HTTP/1.', 'HTTP/1.10', 'HTTP/11', 'HTTP/ 1.1', 'HTTP 1.1', 'XTTP/1.1', 'HTTP/1.x'].map(
        (version) => get('', '/', version),
      ),
    ),
  },
  {
    id: 9,
    section: '9110 §15.6.6',
    rule: 'another major version',
    cases: refused(505, get('', '/', 'HTTP/2.0'), get('', '/', 'HTTP/0.9'), get('', '/', 'HTTP/3.1')),
  },
  {
    id: 11,
    section: '9113 §3.4',
    rule: 'the preface of HTTP/2 in clear',
    cases: refused(505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  },
  {
    id: 12,
    section: '9110 §9.1',
    rule: 'the method is a token',
    cases: refused(
      400,
      'GE{T / HTTP/1.1\r\n',
      'GE:T / HTTP/1.1\r\n',
      '\xe9 / HTTP/1.1\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
    ),
  },
  {
    id: 13,
    section: '9112 §3',
    rule: 'a method that is not implemented',
    cases: refused(
      501,
      'get / HTTP/1.1\r\nHost: a\r\n\r\n',
      'BREW / HTTP/1.1\r\nHost: a\r\n\r\n',
      `${'A'.repeat(40)} / HTTP/1.1\r\n`,
    ),
  },
  {
    id: 14,
    section: '9112 §3',
    rule: 'a target over the limit, of at least 8000 octets',
    cases: [...accepted(get('', `/${long(7_999)}`)), ...refused(414, get('', `/${long(8_192)}`))],
  },
  {
    id: 15,
    section: '9112 §3.2',
    rule: 'no control octets, nothing above ASCII, no fragment in the target, and no path that has two readings',
    cases: [
      ...refused(
        400,
        ...[
          '/\0',
          '/\x01',
          '/\x7f',
          '/\x80',
          '/\xc3\xa9',
          '/#a',
          '/a#',
          '/\\',
          '/..\\..\\x',
          '/a\\?q',
          'http://a/b\\c',
        ].map((target) => get('', target)),
      ),
      // As browsers send it.
      { input: get('', '/?\\'), responses: [[200, 'GET http://a/?\\ ']], closes: false },
    ],
  },
  {
    id: 16,
    section: '9112 §3.2',
    rule: 'four forms of the target, each with its methods',
    cases: [
      ...refused(
        400,
        get('', 'a'),
        get('', '*'),
        get('', 'a:80'),
        get('', 'ftp://a/'),
        get('', 'http:///x'),
        get('', 'http:a'),
        'OPTIONS a:80 HTTP/1.1\r\nHost: a\r\n\r\n',
        'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n',
        'CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
      ),
      ...accepted(get('', '/'), get('', '/?'), get('', '//x'), get('', 'http://b/')),
    ],
  },
  {
    id: 17,
    section: '9112 §3.2.2',
    rule: 'an absolute target is taken, its authority wins over Host, and the scheme stays that of the connection',
    cases: [
      { input: get('', 'http://b.example:81/x?y'), responses: [[200, 'GET http://b.example:81/x?y ']], closes: false },
      { input: get('', 'HTTP://b.example'), responses: [[200, 'GET http://b.example/ ']], closes: false },
      { input: get('', 'http://b.example?q'), responses: [[200, 'GET http://b.example/?q ']], closes: false },
      // What was meant for TLS is not answered without (RFC 9110 §7.4).
      ...refused(
        421,
        get('', 'HTTPS://b.example'),
        get('', 'https://a/'),
        'OPTIONS https://a HTTP/1.1\r\nHost: a\r\n\r\n',
      ),
    ],
  },
  {
    id: 18,
    section: '9110 §4.2.4',
    rule: 'no user information in a target or in Host',
    cases: refused(400, get('', 'http://u@a/'), get('', 'http://u:p@a/'), 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'),
  },
  {
    id: 19,
    section: '9112 §3.2',
    rule: 'HTTP/1.1 has one Host, which is a host with an optional port',
    cases: [
      ...refused(
        400,
        'GET / HTTP/1.1\r\n\r\n',
        get('Host: a\r\n'),
        get('host: b\r\n'),
        ...[
          '',
          'a/b',
          'a, b',
          'a b',
          'a:b',
          'a:65536',
          ':80',
          '::1',
          '[a]',
          '[::1]x',
          'a\xa0',
          'a?b',
          'a#b',
          'a\\b',
          // Names by the grammar of RFC 3986, and another host, or none, to the URL parser.
          'foo.1',
          '256.1.1.1',
          '127.1',
          '0x7f.0.0.1',
          'a%2fb',
          'a%61',
        ].map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
      ),
      ...accepted('GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a:\r\n\r\n'),
    ],
  },
  {
    id: 20,
    section: '9112 §3.2',
    rule: 'HTTP/1.0 may do without Host, but not with two',
    cases: [
      { input: 'GET / HTTP/1.0\r\n\r\n', responses: [[200]], closes: true },
      ...refused(400, 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 'GET / HTTP/1.0\r\nHost: a b\r\n\r\n'),
    ],
  },
  {
    id: 21,
    section: '9112 §5',
    rule: 'a field name is a token with a colon',
    cases: refused(
      400,
      get(': a\r\n'),
      get('abc\r\n'),
      get('a(b: c\r\n'),
      get('\xe9: c\r\n'),
      get('a\0b: c\r\n'),
      get('a\x7f: c\r\n'),
    ),
  },
  {
    id: 22,
    section: '9112 §5.1',
    rule: 'no whitespace before the colon (CVE-2021-22959)',
    cases: refused(400, get('Content-Length : 5\r\n'), get('A\t: b\r\n'), get('Transfer-Encoding : chunked\r\n')),
  },
  {
    id: 23,
    section: '9112 §5.2',
    rule: 'no folded lines (CVE-2022-35256, CVE-2024-27982)',
    cases: refused(
      400,
      get('A: b\r\n c\r\n'),
      get('A: b\r\n\tc\r\n'),
      get('Transfer-Encoding:\r\n chunked\r\n'),
      get(' Content-Length: 5\r\n'),
    ),
  },
  {
    id: 24,
    section: '9110 §5.5',
    rule: 'no control octets in a value',
    cases: [
      ...refused(400, ...['\0', '\x01', '\x0b', '\x0c', '\x1f', '\x7f'].map((octet) => get(`A: b${octet}c\r\n`))),
      ...accepted(get('A: b\tc\r\n'), get('A: \x80\xff\r\n')),
    ],
  },
  {
    id: 25,
    section: '9110 §5.6.3',
    rule: 'only SP and HTAB are whitespace',
    cases: [
      {
        input: get('A: \t \x85b\xa0 \t\r\n'),
        responses: [[200, '3']],
        closes: false,
        handler: (request) => new HttpResponse(String(request.headers.get('a')?.length)),
      },
      ...refused(
        400,
        post('Transfer-Encoding: \xa0chunked\r\n'),
        post('Transfer-Encoding: \x85chunked\r\n'),
        post('Content-Length: \xa05\r\n'),
      ),
    ],
  },
  {
    id: 26,
    section: '6585 §5',
    rule: 'a head that is too large, or has too many fields',
    cases: [
      ...accepted(get('A: b\r\n'.repeat(99))),
      ...refused(431, get('A: b\r\n'.repeat(100)), get(`A: ${long(32_768)}\r\n`)),
    ],
  },
  {
    id: 27,
    section: '9110 §5.3',
    rule: 'repeated single values: refused where they steer us, a list otherwise',
    cases: [
      ...refused(
        400,
        get('Content-Type: a/b\r\nContent-Type: c/d\r\n'),
        post('Content-Length: 1\r\nContent-Length: 1\r\n'),
      ),
      {
        input: get('Authorization: a\r\nAuthorization: b\r\n'),
        responses: [[200, 'a, b']],
        closes: false,
        handler: (request) => new HttpResponse(request.headers.get('authorization')),
      },
    ],
  },
  {
    id: 28,
    section: '9110 §8.6',
    rule: 'Content-Length is digits and nothing else',
    cases: [
      ...refused(
        400,
        ...[
          '+5',
          '-5',
          '0x5',
          '1_0',
          '5 5',
          '',
          '1e3',
          '5;a',
          '5.0',
          '"5"',
          '9007199254740992',
          '99999999999999999999',
        ].map((length) => post(`Content-Length: ${length}\r\n`)),
      ),
      ...accepted(post('Content-Length: 0\r\n'), post('Content-Length: 003\r\n', 'abc')),
    ],
  },
  {
    id: 30,
    section: '9112 §6.3',
    rule: 'one Content-Length, no list',
    cases: refused(
      400,
      post('Content-Length: 5\r\nContent-Length: 5\r\n'),
      post('Content-Length: 5\r\nContent-Length: 6\r\n'),
      post('Content-Length: 5, 5\r\n'),
      post('Content-Length: 5,\r\n'),
    ),
  },
  {
    id: 31,
    section: '9112 §6.1',
    rule: 'no Content-Length beside Transfer-Encoding',
    cases: refused(
      400,
      post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    ),
  },
  {
    id: 32,
    section: '9112 §6.1',
    rule: 'no Transfer-Encoding in HTTP/1.0',
    cases: refused(400, 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  },
  {
    id: 33,
    section: '9112 §6.3',
    rule: 'Transfer-Encoding is exactly one chunked',
    cases: [
      ...refused(
        400,
        ...[
          '',
          'chunked, chunked',
          'chunked;q=1',
          ',chunked',
          'chunked,',
          'gzip',
          'identity',
          'chunked, gzip',
          'xchunked',
          'chunked gzip',
          '"chunked"',
          'chunked\r\nTransfer-Encoding: chunked',
          'chunked\r\nTransfer-Encoding: identity',
        ].map((coding) => post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')),
      ),
      ...accepted(
        post('Transfer-Encoding: CHUNKED\r\n', '0\r\n\r\n'),
        post('transfer-encoding:chunked\t\r\n', '0\r\n\r\n'),
      ),
    ],
  },
  {
    id: 34,
    section: '9112 §6.1',
    rule: 'a coding that is not implemented',
    cases: refused(
      501,
      post('Transfer-Encoding: gzip, chunked\r\n'),
      post('Transfer-Encoding: x-new;q="1", chunked\r\n'),
    ),
  },
  {
    id: 35,
    section: '9112 §7.1',
    rule: 'a chunk size is hexadecimal digits, of at most 13',
    cases: [
      ...refused(
        400,
        ...[
          '0x3\r\n',
          '+3\r\n',
          '-3\r\n',
          '1_0\r\n',
          ' 3\r\n',
          '3 \r\n',
          '\r\n',
          'g\r\n',
          '10000000000000\r\n',
          '3\n',
          '3\rX',
        ].map((size) => chunked(`${size}abc\r\n0\r\n\r\n`)),
      ),
      {
        input: chunked('fffffffffffff\r\n0123456789a'),
        responses: [[413]],
        closes: true,
        limits: { maxBodyBytes: 10 },
      },
      {
        input: chunked('0003\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n'),
        responses: [[200, 'POST http://a/ abc0123456789']],
        closes: false,
      },
    ],
  },
  {
    id: 36,
    section: '9112 §7.1.1',
    rule: 'chunk extensions are checked, ignored, and bounded (CVE-2021-22960, CVE-2024-22019)',
    cases: [
      {
        input: chunked('3;a;b=c ; d="e;\\"\\\\"\r\nabc\r\n0;x\r\n\r\n'),
        responses: [[200, 'POST http://a/ abc']],
        closes: false,
      },
      ...refused(
        400,
        ...[
          '3;\r\n',
          '3;a=\r\n',
          '3;a="b"c\r\n',
          '3;a\n',
          '3;a\rb\r\n',
          '3;a="\0"\r\n',
          '3;a="\r\n"\r\n',
          '3;a b\r\n',
        ].map((size) => chunked(`${size}abc\r\n0\r\n\r\n`)),
      ),
      ...refused(413, chunked(`1;${long(4_100)}\r\n`), chunked('1;aaaaaaaaa\r\nx\r\n'.repeat(500))),
    ],
  },
  {
    id: 37,
    section: '9112 §7.1',
    rule: 'CR LF follows chunk data, and the trailer section the last chunk',
    cases: [
      ...refused(
        400,
        chunked('3\r\nabcd\r\n0\r\n\r\n'),
        chunked('3\r\nabc\n0\r\n\r\n'),
        chunked('3\r\nab\r\n0\r\n\r\n'),
        chunked('3\r\nabc0\r\n\r\n'),
        chunked('0\r\n\rX'),
      ),
    ],
  },
  {
    id: 38,
    section: '9110 §6.5.1',
    rule: 'trailers are checked like fields, and kept apart',
    cases: [
      {
        input: chunked('0\r\nDigest: x\r\n\r\n'),
        responses: [[200, 'null x']],
        closes: false,
        handler: async (request, context) => {
          await request.text();
          return new HttpResponse(
            `${String(request.headers.get('digest'))} ${String(context.trailers()?.get('digest'))}`,
          );
        },
      },
      ...refused(
        400,
        ...[
          'Content-Length: 5',
          'Transfer-Encoding: chunked',
          'Host: b',
          'Authorization: x',
          'Content-Type: a/b',
          'Trailer: x',
          'A : b',
          'A: b\r\n c',
          'A: \0',
          'abc',
        ].map((line) => chunked(`0\r\n${line}\r\n\r\n`)),
      ),
      ...refused(431, chunked(`0\r\nA: ${long(8_192)}\r\n\r\n`), chunked(`0\r\n${'A: b\r\n'.repeat(101)}\r\n`)),
    ],
  },
  {
    id: 39,
    section: '9110 §15.5.14',
    rule: 'content over the limit: before its first octet where the length is known, otherwise when it is crossed',
    cases: [
      {
        input: post('Content-Length: 10\r\n', long(10)),
        responses: [[200]],
        closes: false,
        limits: { maxBodyBytes: 10 },
      },
      {
        input: post('Content-Length: 11\r\nExpect: 100-continue\r\n'),
        responses: [[413]],
        closes: true,
        limits: { maxBodyBytes: 10 },
      },
      {
        input: chunked(`a\r\n${long(10)}\r\n0\r\n\r\n`),
        responses: [[200]],
        closes: false,
        limits: { maxBodyBytes: 10 },
      },
      { input: chunked(`a\r\n${long(10)}\r\n1\r\nx`), responses: [[413]], closes: true, limits: { maxBodyBytes: 10 } },
    ],
  },
  {
    id: 40,
    section: '9112 §8',
    rule: 'content that is cut off is never taken for the whole',
    cases: [
      { input: post('Content-Length: 5\r\n', 'abc'), responses: [], closes: true, ends: true },
      { input: chunked('3\r\nabc\r\n'), responses: [], closes: true, ends: true },
      { input: chunked('3\r\nabc\r\n0\r\n'), responses: [], closes: true, ends: true },
      { input: post('Content-Length: 5\r\n', 'abc'), responses: [[408]], closes: true, seconds: 22 },
    ],
  },
  {
    id: 41,
    section: '9112 §6.3',
    rule: 'no length means no content; a length means content, whatever the method',
    cases: [
      {
        input: `POST / HTTP/1.1\r\nHost: a\r\n\r\n${GET}`,
        responses: [[200, 'POST http://a/ '], [200]],
        closes: false,
      },
      ...['GET', 'HEAD', 'DELETE', 'OPTIONS'].map((method) => ({
        input: `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${GET.length}\r\n\r\n${GET}${GET}`,
        responses: [[200], [200]] as const,
        closes: false,
        methods: [method, 'GET'],
      })),
    ],
  },
  {
    id: 42,
    section: '9112 §9.3',
    rule: 'content that no handler reads is drained within bounds, or the connection closes',
    cases: [
      {
        input: post('Content-Length: 10\r\n', long(10)) + GET,
        responses: [[200], [200]],
        closes: false,
        handler: hello,
        limits: { maxDiscardedBodyBytes: 10 },
      },
      {
        input: chunked(`5\r\n${long(5)}\r\n0\r\n\r\n`) + GET,
        responses: [[200], [200]],
        closes: false,
        handler: hello,
        limits: { maxDiscardedBodyBytes: 10 },
      },
      {
        input: chunked(`b\r\n${long(11)}\r\n`),
        responses: [[200]],
        closes: true,
        handler: hello,
        limits: { maxDiscardedBodyBytes: 10 },
      },
      {
        input: post('Content-Length: 11\r\n'),
        responses: [[200]],
        closes: true,
        handler: hello,
        limits: { maxDiscardedBodyBytes: 10 },
        says: /\r\nConnection: close\r\n/,
      },
    ],
  },
  {
    id: 43,
    section: '9112 §9.6',
    rule: 'after Connection: close, seen or sent, nothing more is processed',
    cases: [
      {
        input: get('Connection: close\r\n') + GET,
        responses: [[200]],
        closes: true,
        says: /\r\nConnection: close\r\n/,
      },
      { input: get('Connection: x, CLOSE\r\n') + GET, responses: [[200]], closes: true },
      { input: get('Connection: keep-alive\r\nConnection: close\r\n') + GET, responses: [[200]], closes: true },
      {
        input: GET + GET,
        responses: [[200]],
        closes: true,
        handler: () => new HttpResponse('x', { headers: { Connection: 'close' } }),
      },
    ],
  },
  {
    id: 44,
    section: '9112 §9.3',
    rule: 'HTTP/1.0 closes unless it asks to stay, HTTP/1.1 stays',
    cases: [
      { input: 'GET / HTTP/1.0\r\n\r\n', responses: [[200]], closes: true },
      {
        input: 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n',
        responses: [[200], [200]],
        closes: true,
        says: /\r\nConnection: keep-alive\r\n/,
      },
      { input: GET + GET, responses: [[200], [200]], closes: false, keepsQuiet: /connection/i },
    ],
  },
  {
    id: 45,
    section: '9112 §9.3.2',
    rule: 'pipelined requests are answered in order',
    cases: [
      {
        input: `${get('', '/1')}${post('Content-Length: 1\r\n', 'x')}${get('', '/2')}`,
        responses: [
          [200, 'GET http://a/1 '],
          [200, 'POST http://a/ x'],
          [200, 'GET http://a/2 '],
        ],
        closes: false,
      },
    ],
  },
  {
    id: 46,
    section: '9110 §10.1.1',
    rule: 'Expect is 100-continue, in HTTP/1.1, and answered before the content or finally',
    cases: [
      ...refused(
        417,
        post('Expect: more\r\nContent-Length: 1\r\n', 'x'),
        post('Expect: 100-continue, more\r\nContent-Length: 1\r\n', 'x'),
      ),
      { input: post('Expect: 100-Continue\r\nContent-Length: 1\r\n'), responses: [[100]], closes: false },
      {
        input: post('Expect: 100-continue\r\nContent-Length: 0\r\n'),
        responses: [[200]],
        closes: false,
        keepsQuiet: /100 Continue/,
      },
      {
        input: 'POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx',
        responses: [[200, 'POST http://localhost/ x']],
        closes: true,
        keepsQuiet: /100 Continue/,
      },
      {
        input: post('Expect: 100-continue\r\nContent-Length: 1\r\n'),
        responses: [[200]],
        closes: true,
        handler: hello,
        keepsQuiet: /100 Continue/,
        says: /\r\nConnection: close\r\n/,
      },
    ],
  },
  {
    id: 47,
    section: '9110 §7.8',
    rule: 'Upgrade is for the handler, and never in HTTP/1.0 or without Connection: upgrade',
    cases: [
      ...[get('Connection: upgrade\r\nUpgrade: x\r\n', '/', 'HTTP/1.0'), get('Upgrade: x\r\n')].map((input) => ({
        input,
        responses: [[200, 'refused']] as const,
        closes: input.includes('1.0'),
        handler: tryUpgrade,
      })),
      { input: get('Connection: upgrade\r\nUpgrade: h2c\r\n'), responses: [[200]], closes: false, keepsQuiet: /101/ },
      {
        input: get('Connection: keep-alive, Upgrade\r\nUpgrade: x\r\n'),
        responses: [[101]],
        closes: true,
        handler: tryUpgrade,
      },
    ],
  },
  {
    id: 48,
    section: '9110 §9.3.6',
    rule: 'CONNECT is refused',
    cases: [
      { input: `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${GET}`, responses: [[501]], closes: true },
      ...refused(
        400,
        ...['a', 'a:', 'a:x', 'a:65536', ':80', 'u@a:80'].map(
          (target) => `CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
        ),
      ),
    ],
  },
  {
    id: 49,
    section: '9110 §9.3.8',
    rule: 'TRACE is not echoed',
    cases: [
      {
        input: 'TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n',
        responses: [[405]],
        closes: false,
        says: /\r\nAllow: /,
        keepsQuiet: /secret/,
      },
    ],
  },
  {
    id: 50,
    section: '9110 §9.3.7',
    rule: 'OPTIONS * is answered by the server',
    cases: [
      { input: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', responses: [[204]], closes: false, says: /\r\nAllow: GET, / },
      {
        input: 'OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n',
        responses: [[200, 'OPTIONS http://a/ ']],
        closes: false,
        handler: echo,
      },
    ],
  },
  {
    id: 61,
    section: '9110 §5.1',
    rule: 'names with underscores are ordinary names',
    cases: [
      {
        input: post('Content_Length: 5\r\nTransfer_Encoding: chunked\r\n') + GET,
        responses: [[200, 'POST http://a/ '], [200]],
        closes: false,
      },
    ],
  },
];

function tryUpgrade(
  _request: Request,
  context: { upgrade(): { readonly stream: NodeJS.WritableStream; readonly response: Response } },
): Response {
  try {
    const { stream, response } = context.upgrade();
    stream.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    return response;
  } catch {
    return new HttpResponse('refused');
  }
}
