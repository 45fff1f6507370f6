import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEprtArgument, parsePortArgument } from '../src/host-port.ts';

describe('PORT', () => {
  test('six numbers are an address and a port', () => {
    expect(parsePortArgument('192,0,2,7,195,81')).toEqual({ family: 'ipv4', address: '192.0.2.7', port: 50_001 });
  });

  test.each([
    '',
    '1,2,3,4,5',
    '1,2,3,4,5,6,7',
    '256,0,0,1,1,1',
    '1,2,3,4,5,256',
    'a,b,c,d,e,f',
    '1.2.3.4,5,6',
    '-1,0,0,1,1,1',
    '0x7f,0,0,1,1,1',
    '0192,0,2,7,1,1',
    '192,0000,2,7,1,1',
    '192,0,0002,7,1,1',
    '192,0,2,0007,1,1',
    '192,0,2,7,0001,1',
    '192,0,2,7,1,0001',
  ])('%j is refused', (text) => {
    expect(parsePortArgument(text)).toBeUndefined();
  });
});

describe('EPRT', () => {
  test('takes IPv4, IPv6 and any delimiter', () => {
    expect(parseEprtArgument('|1|192.0.2.7|50001|')).toEqual({ family: 'ipv4', address: '192.0.2.7', port: 50_001 });
    expect(parseEprtArgument('|2|2001:db8::1|50001|')).toEqual({
      family: 'ipv6',
      address: '2001:db8::1',
      port: 50_001,
    });
    expect(parseEprtArgument('!1!192.0.2.7!50001!')).toMatchObject({ port: 50_001 });
  });

  test('another protocol number is told apart from nonsense', () => {
    expect(parseEprtArgument('|3|x|1|')).toBe('family');
  });

  test.each([
    '',
    '|',
    '|1|192.0.2.7|50001',
    '|1|::1|50001|',
    '|2|192.0.2.7|50001|',
    '|1|192.0.2.7|65536|',
    '|1|192.0.2.7|x|',
    '|1|192.0.2.7|1|x',
    '|1|192.0.2.7|1x|',
    '|1|192.0.2.7|000001|',
    'x|1|192.0.2.7|1|',
    ' 1 192.0.2.7 1 ',
    '\u00e41\u00e4192.0.2.7\u00e41\u00e4',
    '|x3|192.0.2.7|1|',
    '|3x|192.0.2.7|1|',
    'x',
  ])('%j is refused', (text) => {
    expect(parseEprtArgument(text)).toBeUndefined();
  });
});

describe('whatever a client sends', () => {
  test('the parsers of addresses never throw, and give only addresses and ports that there are', () => {
    const argument = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('|', '!', '.', ',', ':', '0', '1', '2', '9', ' ', 'f') }),
      fc
        .tuple(fc.constantFrom('|', '!', '1'), fc.string(), fc.string(), fc.string())
        .map(([by, ...parts]) => [by, parts.join(by), by].join('')),
    );
    fc.assert(
      fc.property(argument, (text) => {
        for (const parsed of [parsePortArgument(text), parseEprtArgument(text)]) {
          const { port = 0, address = '192.0.2.1' } = typeof parsed === 'object' ? parsed : {};
          expect(Number.isInteger(port) && port >= 0 && port <= 65_535).toBe(true);
          expect(net.isIP(address)).not.toBe(0);
        }
      }),
    );
  });

  test('every address and port comes back from the argument that names it', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), fc.nat(65_535), fc.constantFrom('|', '!', '#', '~'), (v4, v6, port, by) => {
        const argument = `${v4.replaceAll('.', ',')},${port >> 8},${port & 255}`;
        expect(parsePortArgument(argument)).toEqual({ family: 'ipv4', address: v4, port });
        expect(parseEprtArgument(`${by}1${by}${v4}${by}${port}${by}`)).toEqual({ family: 'ipv4', address: v4, port });
        expect(parseEprtArgument(`${by}2${by}${v6}${by}${port}${by}`)).toMatchObject({ family: 'ipv6', port });
      }),
    );
  });
});
