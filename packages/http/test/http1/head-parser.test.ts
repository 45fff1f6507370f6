import { byteByByte, everyCut } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { REFUSALS, type Refusal } from '../../src/semantics/refusals.ts';
import { octets, parseAll } from './parse-all.ts';

const HOST = 'Host: example.org\r\n';
const get = (lines: string): string => `GET / HTTP/1.1\r\n${lines}\r\n`;

/** Refused: the promise, its clause, the bytes, the refusal. */
const REFUSED: readonly (readonly [string, string, string, Refusal])[] = [
  ['a third empty line in front', '9112 §2.2', `\r\n\r\n\r\n${get(HOST)}`, 'leading-junk'],
  ['a line that ends with LF alone', '9112 §2.2', `GET / HTTP/1.1\n${HOST}\r\n`, 'bare-lf'],
  ['a field line that ends with LF alone', '9112 §2.2', get(`A: b\n${HOST}`), 'bare-lf'],
  ['a header section that ends with LF alone', '9112 §2.2', `GET / HTTP/1.1\r\n${HOST}\n`, 'bare-lf'],
  ['an LF before the request line', '9112 §2.2', `\n${get(HOST)}`, 'bare-lf'],
  ['a CR in a field value', '9112 §2.2', get(`${HOST}A: b\rc\r\n`), 'bare-cr'],
  ['a CR after the empty line that is no LF (CVE-2023-30589)', '9112 §2.2', `GET / HTTP/1.1\r\n${HOST}\rX`, 'bare-cr'],
  ['a CR after the request line that is no LF', '9112 §2.2', `GET / HTTP/1.1\rX`, 'bare-cr'],
  ['whitespace before the first field', '9112 §2.2', get(` A: b\r\n${HOST}`), 'field-folded'],
  ['two spaces after the method', '9112 §3', 'GET  / HTTP/1.1\r\n', 'request-line-invalid'],
  ['two spaces before the version', '9112 §3', 'GET /  HTTP/1.1\r\n', 'request-line-invalid'],
  ['a tab instead of a space', '9112 §3', 'GET\t/ HTTP/1.1\r\n', 'request-line-invalid'],
  ['a tab before the version', '9112 §3', 'GET /\tHTTP/1.1\r\n', 'request-line-invalid'],
  ['a space after the version', '9112 §3', 'GET / HTTP/1.1 \r\n', 'version-invalid'],
  ['a space in front of the method', '9112 §3', ' GET / HTTP/1.1\r\n', 'request-line-invalid'],
  ['HTTP/0.9', '9112 §2.3', 'GET /\r\n', 'request-line-invalid'],
  ['a method alone', '9112 §3', 'GET\r\n', 'request-line-invalid'],
  ['a version in lower case', '9112 §2.3', 'GET / http/1.1\r\n', 'version-invalid'],
  ['a version with two digits', '9112 §2.3', 'GET / HTTP/1.10\r\n', 'version-invalid'],
  ['a version without a minor part', '9112 §2.3', 'GET / HTTP/1\r\n', 'version-invalid'],
  ['another major version', '9110 §15.6.6', 'GET / HTTP/3.0\r\n', 'version-unsupported'],
  ['the preface of HTTP/2', '9110 §15.6.6', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'version-unsupported'],
  ['a method that is no token', '9110 §9.1', 'GE{T / HTTP/1.1\r\n', 'method-invalid'],
  ['a TLS hello', '9110 §9.1', '\x16\x03\x01\x02\x00\x01', 'method-invalid'],
  ['a method longer than any that exists', '9112 §3', `${'A'.repeat(40)} / HTTP/1.1\r\n`, 'method-unknown'],
  ['a control octet in the target', '9112 §3.2', 'GET /\x01 HTTP/1.1\r\n', 'target-invalid'],
  ['an octet above ASCII in the target', '9112 §3.2', 'GET /\xc3\xa9 HTTP/1.1\r\n', 'target-invalid'],
  ['a fragment', '9112 §3.2', 'GET /#a HTTP/1.1\r\n', 'target-invalid'],
  ['a target without a slash', '9112 §3.2.1', get(HOST).replace('/', 'a'), 'target-invalid'],
  ['an asterisk for anything but OPTIONS', '9112 §3.2.4', get(HOST).replace('/', '*'), 'target-invalid'],
  ['an authority for anything but CONNECT', '9112 §3.2.3', get(HOST).replace('/', 'a:80'), 'target-invalid'],
  ['CONNECT without a port', '9110 §9.3.6', `CONNECT a HTTP/1.1\r\n${HOST}\r\n`, 'target-invalid'],
  ['CONNECT to an empty port', '9110 §9.3.6', `CONNECT a: HTTP/1.1\r\n${HOST}\r\n`, 'target-invalid'],
  ['an absolute target of another scheme', '9112 §3.2.2', get(HOST).replace('/', 'ftp://a/'), 'target-invalid'],
  ['an absolute target without a host', '9110 §4.2.1', get(HOST).replace('/', 'http:///x'), 'target-invalid'],
  ['user information in the target', '9110 §4.2.4', get(HOST).replace('/', 'http://u@a/'), 'target-invalid'],
  ['HTTP/1.1 without Host', '9112 §3.2', get(''), 'host-missing'],
  ['two Host fields, even when they agree', '9112 §3.2', get(HOST + HOST), 'host-repeated'],
  ['an empty Host', '9110 §4.2.1', get('Host:\r\n'), 'host-invalid'],
  ['user information in Host', '9110 §4.2.4', get('Host: u@a\r\n'), 'host-invalid'],
  ['a path in Host', '9112 §3.2', get('Host: a/b\r\n'), 'host-invalid'],
  ['a list in Host', '9112 §3.2', get('Host: a, b\r\n'), 'host-invalid'],
  ['a space in Host', '9112 §3.2', get('Host: a b\r\n'), 'host-invalid'],
  ['a port that is no number', '9112 §3.2', get('Host: a:b\r\n'), 'host-invalid'],
  ['a port above 65535', '9112 §3.2', get('Host: a:65536\r\n'), 'host-invalid'],
  ['a port without a host', '9110 §4.2.1', get('Host: :80\r\n'), 'host-invalid'],
  ['IPv6 without brackets', '3986 §3.2.2', get('Host: ::1\r\n'), 'host-invalid'],
  ['brackets around no IPv6', '3986 §3.2.2', get('Host: [a]\r\n'), 'host-invalid'],
  ['text after the brackets', '3986 §3.2.2', get('Host: [::1]x\r\n'), 'host-invalid'],
  ['an empty field name', '9112 §5', get(': a\r\n'), 'field-name-invalid'],
  ['a line without a colon', '9112 §5', get('abc\r\n'), 'field-name-invalid'],
  ['a field name that is no token', '9112 §5', get('a(b: c\r\n'), 'field-name-invalid'],
  ['an octet above ASCII in a field name', '9112 §5', get('\xe9: c\r\n'), 'field-name-invalid'],
  [
    'a space before the colon (CVE-2021-22959)',
    '9112 §5.1',
    get(`${HOST}Content-Length : 5\r\n`),
    'space-before-colon',
  ],
  ['a tab before the colon', '9112 §5.1', get('A\t: b\r\n'), 'space-before-colon'],
  ['a folded line (CVE-2022-35256)', '9112 §5.2', get(`${HOST}A: b\r\n c\r\n`), 'field-folded'],
  ['a NUL in a value', '9110 §5.5', get('A: b\0c\r\n'), 'field-value-invalid'],
  ['a control octet in a value', '9110 §5.5', get('A: b\x01c\r\n'), 'field-value-invalid'],
  ['DEL in a value', '9110 §5.5', get('A: b\x7fc\r\n'), 'field-value-invalid'],
  [
    'two Content-Type fields',
    '9110 §5.3',
    get(`${HOST}Content-Type: a/b\r\nContent-type: a/b\r\n`),
    'content-type-repeated',
  ],
  ...[
    '+5',
    '-5',
    '5,5',
    '5, 5',
    '0x5',
    '1_0',
    '5 5',
    '',
    '1e3',
    '9007199254740992',
    '99999999999999999999999',
    '\xa05',
    '5;a',
  ].map(
    (length) =>
      [
        `Content-Length: ${JSON.stringify(length)}`,
        '9110 §8.6',
        get(`${HOST}Content-Length: ${length}\r\n`),
        'content-length-invalid',
      ] as const,
  ),
  [
    'two Content-Length fields',
    '9112 §6.3',
    get(`${HOST}Content-Length: 5\r\nContent-Length: 5\r\n`),
    'content-length-repeated',
  ],
  [
    'Content-Length with Transfer-Encoding',
    '9112 §6.3',
    get(`${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`),
    'length-and-coding',
  ],
  [
    'Transfer-Encoding with Content-Length',
    '9112 §6.3',
    get(`${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`),
    'length-and-coding',
  ],
  [
    'Transfer-Encoding in HTTP/1.0',
    '9112 §6.1',
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
    'coding-in-1.0',
  ],
  ...[
    '',
    'chunked, chunked',
    'chunked;q=1',
    ',chunked',
    'chunked,',
    'gzip',
    'identity',
    'chunked, gzip',
    '\xa0chunked',
    '\x0bchunked',
    'xchunked',
    'chunked gzip',
    '"chunked"',
  ].map(
    (coding) =>
      [
        `Transfer-Encoding: ${JSON.stringify(coding)}`,
        '9112 §6.1',
        get(`${HOST}Transfer-Encoding: ${coding}\r\n`),
        coding === '\x0bchunked' ? 'field-value-invalid' : 'coding-invalid',
      ] as const,
  ),
  [
    'two Transfer-Encoding lines',
    '9112 §6.3',
    get(`${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`),
    'coding-invalid',
  ],
  ['a coding before chunked', '9112 §6.1', get(`${HOST}Transfer-Encoding: gzip, chunked\r\n`), 'coding-unknown'],
  ['an unknown expectation', '9110 §10.1.1', get(`${HOST}Expect: 200-ok\r\n`), 'expectation-unknown'],
];

/** Accepted: the promise, its clause, the bytes. */
const ACCEPTED: readonly (readonly [string, string, string])[] = [
  ['an empty line in front', '9112 §2.2', `\r\n${get(HOST)}`],
  ['two empty lines in front', '9112 §2.2', `\r\n\r\n${get(HOST)}`],
  ['HTTP/1.0 without Host', '9112 §3.2', 'GET / HTTP/1.0\r\n\r\n'],
  ['a higher minor version', '9110 §2.5', `GET / HTTP/1.9\r\n${HOST}\r\n`],
  ['an absolute target', '9112 §3.2.2', get(HOST).replace('/', 'http://a.example:8080/x?y')],
  ['an absolute target without a path', '9112 §3.2.2', get(HOST).replace('/', 'HTTPS://a.example?y')],
  ['OPTIONS *', '9112 §3.2.4', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
  ['CONNECT with a port', '9112 §3.2.3', `CONNECT a.example:443 HTTP/1.1\r\n${HOST}\r\n`],
  ['an IPv6 Host with a port', '3986 §3.2.2', get('Host: [2001:db8::1]:80\r\n')],
  ['a Host with an empty port', '3986 §3.2.3', get('Host: a:\r\n')],
  ['an empty value', '9110 §5.5', get(`${HOST}A:\r\n`)],
  ['whitespace around a value', '9110 §5.6.3', get(`${HOST}A: \t b c \t\r\n`)],
  ['octets above ASCII in a value', '9110 §5.5', get(`${HOST}A: \xa0\xff\r\n`)],
  [
    'names with underscores that look like framing',
    '9110 §5.1',
    get(`${HOST}Content_Length: 5\r\nTransfer_Encoding: chunked\r\n`),
  ],
  ['Chunked in upper case', '9112 §7', `${get(`${HOST}Transfer-Encoding: CHUNKED\r\n`)}0\r\n\r\n`],
  ['Expect: 100-continue in any case', '9110 §10.1.1', get(`${HOST}Expect: 100-Continue\r\n`)],
  ['an unknown expectation in HTTP/1.0', '9110 §10.1.1', 'GET / HTTP/1.0\r\nExpect: x\r\n\r\n'],
];

/** In one piece, byte by byte, and cut anywhere in two. */
function everyWay(bytes: Uint8Array): Uint8Array[][] {
  return [...everyCut(bytes), byteByByte(bytes)];
}

describe.each(REFUSED)('%s (RFC %s)', (_, __, text, refusal) => {
  test(`is refused as ${refusal} with ${REFUSALS[refusal].status}, however it is cut`, () => {
    for (const chunks of everyWay(octets(text))) expect(parseAll(chunks)).toEqual({ requests: [], refusal });
  });
});

describe.each(ACCEPTED)('%s (RFC %s)', (_, __, text) => {
  test('is accepted, and read the same however it is cut', () => {
    const whole = parseAll([octets(text)]);
    expect(whole.refusal).toBeUndefined();
    expect(whole.requests.map(({ complete }) => complete)).toEqual([true]);
    for (const chunks of everyWay(octets(text))) expect(parseAll(chunks)).toEqual(whole);
  });
});

describe('limits', () => {
  const headOf = (byteLength: number): string =>
    get(`${HOST}A: ${'x'.repeat(byteLength - get(`${HOST}A: \r\n`).length)}\r\n`);

  test('a head of exactly the limit is accepted, one byte more is refused with 431', () => {
    expect(parseAll([octets(headOf(300))], { maxHeadBytes: 300 }).refusal).toBeUndefined();
    expect(parseAll([octets(headOf(301))], { maxHeadBytes: 300 }).refusal).toBe('head-too-large');
    expect(parseAll(byteByByte(octets(headOf(300))), { maxHeadBytes: 300 }).refusal).toBeUndefined();
    expect(parseAll(byteByByte(octets(headOf(301))), { maxHeadBytes: 300 }).refusal).toBe('head-too-large');
  });

  test('empty lines in front count', () => {
    expect(parseAll([octets(`\r\n${headOf(299)}`)], { maxHeadBytes: 300 }).refusal).toBe('head-too-large');
  });

  test('a head that never ends is refused as soon as the limit is full', () => {
    expect(parseAll([octets(headOf(400).slice(0, 299))], { maxHeadBytes: 300 }).refusal).toBeUndefined();
    expect(parseAll([octets(headOf(400).slice(0, 300))], { maxHeadBytes: 300 }).refusal).toBe('head-too-large');
  });

  test('as many fields as the limit are accepted, one more is refused with 431', () => {
    expect(parseAll([octets(get(HOST + 'A: b\r\n'.repeat(4)))], { maxFields: 5 }).refusal).toBeUndefined();
    expect(parseAll([octets(get(HOST + 'A: b\r\n'.repeat(5)))], { maxFields: 5 }).refusal).toBe('too-many-fields');
  });

  test('a target of exactly the limit is accepted, one byte more is refused with 414', () => {
    const line = (byteLength: number): Uint8Array =>
      octets(`GET /${'a'.repeat(byteLength - 1)} HTTP/1.1\r\n${HOST}\r\n`);
    for (const cut of [(bytes: Uint8Array) => [bytes], byteByByte]) {
      expect(parseAll(cut(line(50)), { maxTargetBytes: 50 }).refusal).toBeUndefined();
      expect(parseAll(cut(line(51)), { maxTargetBytes: 50 }).refusal).toBe('target-too-long');
    }
  });

  test('a target that fills the whole head is refused with 414', () => {
    expect(parseAll([octets(`GET /${'a'.repeat(200)}`)], { maxHeadBytes: 100 }).refusal).toBe('target-too-long');
  });

  test('a known body over the limit is refused before its first byte', () => {
    const post = (byteLength: number): Uint8Array =>
      octets(`POST / HTTP/1.1\r\n${HOST}Content-Length: ${byteLength}\r\n\r\n`);
    expect(parseAll([post(10)], { maxBodyBytes: 10 }).refusal).toBeUndefined();
    expect(parseAll([post(11)], { maxBodyBytes: 10 }).refusal).toBe('body-too-large');
  });
});

test('whitespace that is not SP or HTAB stays in a value', () => {
  const { requests } = parseAll([octets(get(`${HOST}A: \t\xa0b\x85 \r\n`))]);
  expect(requests[0]?.fields).toContainEqual(['a', '\xa0b\x85']);
});
