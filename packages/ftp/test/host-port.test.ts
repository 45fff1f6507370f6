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
    'x',
  ])('%j is refused', (text) => {
    expect(parseEprtArgument(text)).toBeUndefined();
  });
});
