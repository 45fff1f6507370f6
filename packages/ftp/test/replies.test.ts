import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UTF8 } from '../src/charset.ts';
import {
  encodeReply,
  extendedPassiveReply,
  passiveReply,
  quotePath,
  REPLY,
  reply,
  replyOnWire,
} from '../src/replies.ts';

test('a reply of one line is code, space, text', () => {
  expect(encodeReply(reply(200, 'Okay.'))).toBe('200 Okay.\r\n');
});

test('inner lines of a long reply are indented, so that none looks like the last', () => {
  expect(encodeReply(reply(211, 'Features:', '211 trap', 'UTF8', 'End'))).toBe(
    '211-Features:\r\n 211 trap\r\n UTF8\r\n211 End\r\n',
  );
});

test('no text can begin a line of its own', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (lines) => {
      const text = encodeReply(reply(250, ...lines));
      expect(text.split('\r\n')).toHaveLength(lines.length + 1);
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
    }),
  );
});

test('a name is told with the bytes that it has', () => {
  expect(encodeReply(reply(257, quotePath('/tab\t\x1b\x7f')))).toBe('257 "/tab\t\x1b\x7f"\r\n');
});

test('227 ends with the closing parenthesis, 229 has its three empty fields', () => {
  expect(encodeReply(passiveReply('192.0.2.7', 50_001))).toBe('227 Entering Passive Mode (192,0,2,7,195,81)\r\n');
  expect(encodeReply(extendedPassiveReply(50_001))).toBe('229 Entering Extended Passive Mode (|||50001|)\r\n');
});

test('0xFF goes out twice to a peer that speaks Telnet, and as it is to others', () => {
  const pwd = reply(257, `"/${UTF8.decode(Uint8Array.of(0xff, 0xfe, 0xff))}"`);
  const bytesOf = (isTelnet: boolean): string => Buffer.from(replyOnWire(pwd, UTF8, isTelnet)).toString('latin1');
  expect(bytesOf(true)).toBe('257 "/\xff\xff\xfe\xff\xff"\r\n');
  expect(bytesOf(false)).toBe('257 "/\xff\xfe\xff"\r\n');
});

test('quotes in a path are doubled', () => {
  expect(quotePath('/a"b')).toBe('"/a""b"');
});

test('every fixed reply has a code of RFC 959 and fits a line', () => {
  for (const [name, { code, lines }] of Object.entries(REPLY)) {
    expect(code, name).toBeGreaterThanOrEqual(200);
    expect(code, name).toBeLessThan(560);
    expect(lines, name).toHaveLength(1);
  }
});
