import net from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, isIpv4, isIpv6, limitKey, normalizeIp } from '../../src/address/index.ts';

test('what is an IPv4 or IPv6 address agrees with the system, for any text near one', () => {
  const near = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcfx:.%')), maxLength: 40 }),
    fc.tuple(fc.ipV6(), fc.constantFrom('', ':', '::', '.1', ':0')).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(near, (text) => {
      expect([text, isIpv4(text)]).toEqual([text, net.isIPv4(text)]);
      // The system takes any zone text; ours only asks that it is not empty.
      if (text.includes('%')) return;
      expect([text, isIpv6(text)]).toEqual([text, net.isIPv6(text)]);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['::1', '::1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
])('%s counts as %s', (text, normal) => {
  expect(normalizeIp(text)).toBe(normal);
});

test('limits count IPv4 by address and IPv6 by /64', () => {
  expect(limitKey({ family: 'ipv4', address: '192.0.2.1', port: 1 })).toBe('192.0.2.1');
  const one = limitKey({ family: 'ipv6', address: '2001:db8:1:2::1', port: 1 });
  expect(limitKey({ family: 'ipv6', address: '2001:db8:1:2:ffff::9', port: 2 })).toBe(one);
  expect(limitKey({ family: 'ipv6', address: '2001:db8:1:3::1', port: 1 })).not.toBe(one);
  expect(limitKey({ family: 'ipv6', address: 'fe80::1%eth0', port: 1 })).toBe('fe80:0:0:0::/64');
});

test('an address is written with its port, IPv6 in brackets', () => {
  expect(formatAddress({ family: 'ipv4', address: '192.0.2.1', port: 80 })).toBe('192.0.2.1:80');
  expect(formatAddress({ family: 'ipv6', address: '::1', port: 80 })).toBe('[::1]:80');
  expect(formatAddress({ family: 'unix', path: '/run/x' })).toBe('unix:/run/x');
});
