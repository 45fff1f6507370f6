import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isMulticast,
  isUnicastSource,
  localAddresses,
  reasonNotToServe,
  type Interfaces,
} from '../../src/address/datagram-addresses.ts';
import { dropsOf, procAddress } from '../../src/kernel/proc-net.ts';

const INTERFACES: Interfaces = {
  lo: [
    { address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4' },
    { address: '::1', netmask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', family: 'IPv6', scopeid: 0 },
  ],
  eth0: [
    { address: '192.0.2.10', netmask: '255.255.255.0', family: 'IPv4' },
    { address: '192.0.2.11', netmask: '255.255.255.0', family: 'IPv4' },
    { address: '198.51.100.4', netmask: '255.255.255.254', family: 'IPv4' },
    { address: '2001:db8::10', netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6', scopeid: 0 },
    { address: 'fe80::1', netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6', scopeid: 2 },
  ],
  eth1: [
    { address: 'fe80::1', netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6', scopeid: 3 },
    { address: '192.0.2.10', netmask: '255.255.255.0', family: 'IPv4' },
  ],
};

describe('the addresses of this machine', () => {
  test('each is named once, and a link-local one with its interface', () => {
    expect(localAddresses(INTERFACES, 'both')).toEqual([
      '127.0.0.1',
      '::1',
      '192.0.2.10',
      '192.0.2.11',
      '198.51.100.4',
      '2001:db8::10',
      'fe80::1%eth0',
      'fe80::1%eth1',
    ]);
  });

  test('one family leaves the other out', () => {
    expect(localAddresses(INTERFACES, 'ipv4')).toEqual(['127.0.0.1', '192.0.2.10', '192.0.2.11', '198.51.100.4']);
    expect(localAddresses(INTERFACES, 'ipv6')).toEqual(['::1', '2001:db8::10', 'fe80::1%eth0', 'fe80::1%eth1']);
  });

  test.each(['224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255', '192.0.2.255', '127.255.255.255'])(
    '%s is not served',
    (address) => {
      expect(reasonNotToServe(address, INTERFACES)).toMatch(/multicast|broadcast/);
    },
  );

  test.each(['', '::', '0.0.0.0', '192.0.2.10', '198.51.100.5', '223.255.255.255', '2001:db8::10', 'localhost'])(
    '%j may be served',
    (address) => {
      expect(reasonNotToServe(address, INTERFACES)).toBeUndefined();
    },
  );
});

describe('sources', () => {
  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '239.1.1.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    'ff0e::5',
  ])('%s is no source', (address) => {
    expect(isUnicastSource(address, 5000)).toBe(false);
  });

  test.each([
    '1.2.3.4',
    '2.0.0.1',
    '22.4.5.6',
    '24.0.0.1',
    '223.255.255.255',
    '200.1.1.1',
    '192.0.2.1',
    '::1',
    '2001:db8::1',
    '240:db8::1',
    'fe80::1%eth0',
    'fd00::1',
    '::ffff:192.0.2.1',
  ])('%s is one', (address) => {
    expect(isUnicastSource(address, 5000)).toBe(true);
  });

  test('port 0 is none, whatever the address', () => {
    expect(isUnicastSource('192.0.2.1', 0)).toBe(false);
  });

  test('of IPv4 exactly 0/8 and everything from 224 up is refused', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const first = Number(address.split('.')[0]);
        expect(isUnicastSource(address, 1)).toBe(first > 0 && first < 224);
        expect(isMulticast(address)).toBe(first >= 224 && first < 240);
      }),
    );
  });
});

describe("the kernel's count of drops", () => {
  const UDP4 = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  351: 0100007F:1F47 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4242 2 0000000000000000 17
  351: 0100007F:1F47 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4243 2 0000000000000000 5
 3512: 0A0200C0:1F47 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4244 2 0000000000000000 1000
`;

  test('is summed over all sockets of an address, and over no others', () => {
    expect(dropsOf(UDP4, new Set([procAddress('127.0.0.1', 8007, true)!]))).toBe(22);
    expect(dropsOf(UDP4, new Set([procAddress('127.0.0.1', 8008, true)!]))).toBe(0);
    expect(dropsOf('', new Set(['0100007F:1F47']))).toBe(0);
  });

  test.each([
    ['127.0.0.1', 7, true, '0100007F:0007'],
    ['127.0.0.1', 7, false, '7F000001:0007'],
    ['::1', 8007, true, '00000000000000000000000001000000:1F47'],
    ['fe80::1%eth0', 8007, true, '000080FE000000000000000001000000:1F47'],
    ['2001:db8::1', 8007, false, '20010DB8000000000000000000000001:1F47'],
  ] as const)(
    '%s port %i is written as the kernel writes it (little-endian: %s)',
    (address, port, littleEndian, text) => {
      expect(procAddress(address, port, littleEndian)).toBe(text);
    },
  );

  test('what is no address has no column', () => {
    expect(procAddress('localhost', 7, true)).toBeUndefined();
  });
});
