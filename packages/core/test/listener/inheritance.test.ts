import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/address/endpoint.ts';
import { encodeInheritance, INHERIT_VARIABLE, readInheritance } from '../../src/listener/inheritance.ts';

const at = (scheme: 'tcp' | 'tls' | 'udp', port: number): Endpoint => ({ scheme, host: '127.0.0.1', port });
const inheritance = () =>
  readInheritance({
    [INHERIT_VARIABLE]: encodeInheritance({
      readyDescriptor: 3,
      sockets: [
        { descriptor: 4, asked: 'tcp://127.0.0.1:80', slot: 1, bound: 'tcp://127.0.0.1:80' },
        { descriptor: 5, asked: 'tcp://127.0.0.1:80', slot: 2, bound: 'tcp://127.0.0.1:80' },
        { descriptor: 6, asked: 'tls://127.0.0.1:443', bound: 'tls://127.0.0.1:443' },
      ],
    }),
  });

test('a socket is found by its address, whatever is spoken over it, and given out once', () => {
  const inherited = inheritance();
  expect([inherited.take(at('tls', 80), 2), inherited.take(at('tls', 80), 2)]).toEqual([5, undefined]);
  expect(inherited.take(at('tcp', 443), undefined)).toBe(6);
  expect(inherited.rest()).toEqual([4]);
});

test('datagrams are another address', () => {
  expect(inheritance().take(at('udp', 443), undefined)).toBeUndefined();
});

test('it is known which slots of an address there are', () => {
  const inherited = inheritance();
  expect([
    inherited.slotsOf(at('tls', 80)),
    inherited.slotsOf(at('tcp', 443)),
    inherited.slotsOf(at('tcp', 8)),
  ]).toEqual([[1, 2], [undefined], []]);
});
