import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildProxyHeader } from '../../src/proxy-protocol/builder.ts';
import { proxyDetails } from '../../src/proxy-protocol/details.ts';
import { createProxyParser, PROXY_TLV, type ProxyHeader, type ProxyStep } from '../../src/proxy-protocol/parser.ts';
import { byteByByte, cutAt, everyCut } from '../../src/testing/index.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const tcp4 = {
  source: { family: 'ipv4', address: '192.0.2.10', port: 56324 },
  destination: { family: 'ipv4', address: '198.51.100.1', port: 443 },
} as const;

/** Pushes chunks until the parser says more than `more`; what it has not seen by then is joined to the rest. */
function play(chunks: readonly Uint8Array[], options?: { maxBytes: number }): ProxyStep {
  const parser = createProxyParser(options);
  for (const [index, chunk] of chunks.entries()) {
    const step = parser.push(chunk);
    if (step.type === 'header')
      return {
        ...step,
        rest: Uint8Array.from([...step.rest, ...chunks.slice(index + 1).flatMap((later) => [...later])]),
      };
    if (step.type === 'error') return step;
  }
  return { type: 'more' };
}

const v2 = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(`0d0a0d0a000d0a515549540a${hex.replaceAll(' ', '')}`, 'hex'));

const headers: readonly { name: string; bytes: Uint8Array; header: ProxyHeader }[] = [
  {
    name: 'v1 TCP4',
    bytes: latin1('PROXY TCP4 192.0.2.10 198.51.100.1 56324 443\r\n'),
    header: { version: 1, command: 'proxy', ...tcp4, tlvs: [] },
  },
  {
    name: 'v1 TCP6, in any spelling',
    bytes: latin1('PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 65535\r\n'),
    header: {
      version: 1,
      command: 'proxy',
      source: { family: 'ipv6', address: '2001:db8::1', port: 1 },
      destination: { family: 'ipv6', address: '::1', port: 65535 },
      tlvs: [],
    },
  },
  {
    name: 'v1 TCP6 with a mapped client, who is an IPv4 client',
    bytes: latin1('PROXY TCP6 ::ffff:192.0.2.10 ::1 0 0\r\n'),
    header: {
      version: 1,
      command: 'proxy',
      source: { family: 'ipv4', address: '192.0.2.10', port: 0 },
      destination: { family: 'ipv6', address: '::1', port: 0 },
      tlvs: [],
    },
  },
  { name: 'v1 UNKNOWN alone', bytes: latin1('PROXY UNKNOWN\r\n'), header: { version: 1, command: 'proxy', tlvs: [] } },
  {
    name: 'v1 UNKNOWN with the longest line',
    bytes: latin1(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`),
    header: { version: 1, command: 'proxy', tlvs: [] },
  },
  {
    name: 'v2 IPv4 over STREAM',
    bytes: v2('21 11 000c c000020a c6336401 dc04 01bb'),
    header: { version: 2, command: 'proxy', ...tcp4, tlvs: [] },
  },
  {
    name: 'v2 LOCAL, of which nothing else counts',
    bytes: v2('20 11 0003 ffffff'),
    header: { version: 2, command: 'local', tlvs: [] },
  },
  { name: 'v2 UNSPEC', bytes: v2('21 00 0000'), header: { version: 2, command: 'proxy', tlvs: [] } },
  {
    name: 'v2 IPv6 with a TLV and padding',
    bytes: v2(
      '21 21 002d 20010db8000000000000000000000001 00000000000000000000000000000001 0001 ffff 04 0000 02 0003 612e62',
    ),
    header: {
      version: 2,
      command: 'proxy',
      source: { family: 'ipv6', address: '2001:db8::1', port: 1 },
      destination: { family: 'ipv6', address: '::1', port: 65535 },
      tlvs: [{ type: PROXY_TLV.authority, value: latin1('a.b') }],
    },
  },
];

describe.each(headers)('$name', ({ bytes, header }) => {
  test('is read whole, with what follows left alone', () => {
    expect(play([Uint8Array.from([...bytes, 0x50, 0x52])])).toEqual({
      type: 'header',
      header,
      rest: Uint8Array.of(0x50, 0x52),
    });
  });

  test('is read byte by byte and cut anywhere', () => {
    expect(play(byteByByte(bytes))).toEqual({ type: 'header', header, rest: new Uint8Array(0) });
    for (const chunks of everyCut(bytes))
      expect(play(chunks)).toEqual({ type: 'header', header, rest: new Uint8Array(0) });
  });

  test('is not there before its last byte', () => {
    expect(play([bytes.slice(0, -1)])).toEqual({ type: 'more' });
  });
});

describe('what is no PROXY header', () => {
  test.each([
    ['another protocol', latin1('GET / HTTP/1.1\r\n'), /no PROXY header/],
    ['a first byte that fits none', latin1('S'), /no PROXY header/],
    ['a line that is one byte too long', latin1(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`), /longer than 107/],
    ['a line without CR', latin1('PROXY UNKNOWN\n'), /CR LF/],
    ['an unknown family', latin1('PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n'), /family/],
    ['two spaces', latin1('PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n'), /four fields/],
    ['a missing field', latin1('PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n'), /four fields/],
    ['an address of the other family', latin1('PROXY TCP4 ::1 192.0.2.2 1 2\r\n'), /not valid/],
    ['an address with a zone', latin1('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'), /not valid/],
    ['a port with a leading zero', latin1('PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n'), /not valid/],
    ['a port above 65535', latin1('PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n'), /not valid/],
    ['version 3', v2('31 11 000c'), /version/],
    ['an unknown command', v2('22 11 000c'), /command/],
    ['an unknown family of version 2', v2('21 41 000c'), /family/],
    ['too few bytes for the addresses', v2('21 11 000b c000020a c6336401 dc04 01'), /too short/],
    ['a TLV that goes beyond the end', v2('21 00 0004 04 0002 00'), /beyond the end/],
    ['a wrong checksum', v2('21 00 0007 03 0004 00000000'), /checksum/],
    ['a checksum of another length', v2('21 00 0005 03 0002 0000'), /checksum/],
  ])('%s', (_name, bytes, problem) => {
    expect(play([bytes])).toEqual({ type: 'error', problem: expect.stringMatching(problem) as string });
    expect(play(byteByByte(bytes))).toMatchObject({ type: 'error' });
  });

  test('a header of version 2 at the limit of bytes is taken, one byte more is not', () => {
    expect(play([v2(`21 00 0004 04 0001 00`)], { maxBytes: 20 })).toMatchObject({ type: 'header' });
    expect(play([v2(`21 00 0005 04 0002 0000`)], { maxBytes: 20 })).toMatchObject({
      type: 'error',
      problem: 'the header has 21 bytes, at most 20 are taken',
    });
  });

  test('a header that announces too much is refused before its bytes come', () => {
    expect(play([v2('21 11 ffff')])).toMatchObject({ type: 'error' });
  });
});

const port = fc.integer({ min: 0, max: 65535 });
const ipv4 = fc.record({ family: fc.constant('ipv4' as const), address: fc.ipV4(), port });
const groups = fc
  .array(fc.integer({ min: 0, max: 65535 }), { minLength: 8, maxLength: 8 })
  .map((list) => list.map((group) => (group % 3 === 0 ? 0 : group).toString(16)).join(':'));
const tlv = fc.record({ type: fc.constantFrom(0x01, 0x02, 0x05, 0x30, 0xe0), value: fc.uint8Array({ maxLength: 40 }) });
const anyHeader: fc.Arbitrary<ProxyHeader> = fc.oneof(
  fc.record({
    version: fc.constant(1 as const),
    command: fc.constant('proxy' as const),
    source: ipv4,
    destination: ipv4,
    tlvs: fc.constant([]),
  }),
  fc.record({
    version: fc.constant(2 as const),
    command: fc.constant('proxy' as const),
    source: ipv4,
    destination: ipv4,
    tlvs: fc.array(tlv, { maxLength: 5 }),
  }),
  fc.record({ version: fc.constant(2 as const), command: fc.constant('local' as const), tlvs: fc.constant([]) }),
  fc.record({
    version: fc.constant(2 as const),
    command: fc.constant('proxy' as const),
    tlvs: fc.array(tlv, { maxLength: 5 }),
    source: fc.constantFrom('/run/a', '@abstract', '').map((path) => ({ family: 'unix' as const, path })),
    destination: fc.constant({ family: 'unix' as const, path: '/run/b' }),
  }),
);

describe('the builder and the parser', () => {
  test('what is built is read again, cut anywhere, with and without a checksum', () => {
    fc.assert(
      fc.property(anyHeader, fc.boolean(), fc.array(fc.nat(300), { maxLength: 6 }), (header, checksum, cuts) => {
        const chunks = cutAt(buildProxyHeader(header, { checksum }), cuts);
        // Sockets give Buffers, whose slices share their bytes.
        const step = play(chunks.map((chunk) => Buffer.from(chunk)));
        expect(step).toEqual({ type: 'header', header, rest: new Uint8Array(0) });
      }),
    );
  });

  test('IPv6 survives both versions in the spelling of RFC 5952', () => {
    fc.assert(
      fc.property(groups, groups, fc.constantFrom(1 as const, 2 as const), (from, to, version) => {
        const built = buildProxyHeader({
          version,
          command: 'proxy',
          source: { family: 'ipv6', address: from, port: 1 },
          destination: { family: 'ipv6', address: to, port: 2 },
          tlvs: [],
        });
        const step = play([built]);
        const spelled = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);
        expect(step).toMatchObject({
          type: 'header',
          header: { source: { address: spelled(from) }, destination: { address: spelled(to) } },
        });
      }),
    );
  });

  test('one changed byte of the addresses or of the checksum is noticed', () => {
    const built = buildProxyHeader({ version: 2, command: 'proxy', ...tcp4, tlvs: [] }, { checksum: true });
    // 16 to 27 are the addresses, 28 to 30 say that a checksum follows.
    for (const index of [...Array.from({ length: 12 }, (_, at) => 16 + at), 31, 32, 33, 34]) {
      const broken = built.slice();
      broken[index] = (broken[index] ?? 0) ^ 1;
      expect(play([broken])).toMatchObject({ type: 'error' });
    }
  });

  test('version 1 says UNKNOWN of what it has no words for', () => {
    const unix = { family: 'unix', path: '/a' } as const;
    for (const header of [
      { command: 'local' },
      { command: 'proxy', source: unix, destination: unix },
      { command: 'proxy' },
    ] as const) {
      expect(Buffer.from(buildProxyHeader({ version: 1, tlvs: [], ...header })).toString()).toBe('PROXY UNKNOWN\r\n');
    }
  });

  test('any bytes, cut anywhere, end in a header, an error or a wait for at most the limit', () => {
    const start = fc.constantFrom(latin1('PROXY '), v2('21 11'), v2('20'), new Uint8Array(0));
    fc.assert(
      fc.property(
        start,
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (head, tail, cuts) => {
          const bytes = Uint8Array.from([...head, ...tail]);
          const whole = play([bytes], { maxBytes: 200 });
          expect(play(cutAt(bytes, cuts), { maxBytes: 200 }).type).toBe(whole.type);
          expect(whole.type !== 'more' || bytes.length <= 200).toBe(true);
        },
      ),
    );
  });
});

describe('what a proxy tells beyond addresses', () => {
  const withTlvs = (...tlvs: ProxyHeader['tlvs']): ProxyHeader => ({ version: 2, command: 'proxy', tlvs });

  test('server name, ALPN and the identity of the connection', () => {
    const id = Uint8Array.of(1, 2);
    expect(
      proxyDetails(
        withTlvs(
          { type: PROXY_TLV.alpn, value: latin1('h2') },
          { type: PROXY_TLV.authority, value: latin1('a.example') },
          { type: PROXY_TLV.uniqueId, value: id },
        ),
      ),
    ).toEqual({ alpn: 'h2', authority: 'a.example', uniqueId: id });
  });

  test('the TLS of the client, with its certificate', () => {
    const inner = [0x21, 0, 7, ...latin1('TLSv1.3'), 0x22, 0, 3, ...latin1('bob')];
    const ssl = (flags: number, verify: number) =>
      withTlvs({ type: PROXY_TLV.ssl, value: Uint8Array.of(flags, 0, 0, 0, verify, ...inner) });
    expect(proxyDetails(ssl(1, 0)).ssl).toEqual({ version: 'TLSv1.3', commonName: 'bob', clientCertificate: 'none' });
    expect(proxyDetails(ssl(3, 0)).ssl?.clientCertificate).toBe('verified');
    expect(proxyDetails(ssl(5, 1)).ssl?.clientCertificate).toBe('unverified');
    expect(proxyDetails(ssl(0, 0)).ssl).toBeUndefined();
  });

  test('a TLV that is cut short says nothing', () => {
    expect(proxyDetails(withTlvs({ type: PROXY_TLV.ssl, value: Uint8Array.of(1, 0) }))).toEqual({});
    expect(proxyDetails(withTlvs({ type: PROXY_TLV.ssl, value: Uint8Array.of(1, 0, 0, 0, 0, 0x21, 0, 9) }))).toEqual(
      {},
    );
  });
});
