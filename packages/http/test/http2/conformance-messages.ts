// What RFC 9113 §8 says of messages, and RFC 7541 of their fields, in the same form as conformance-frames.ts.

import {
  all,
  ANSWERED,
  connectionError,
  ERROR,
  streamError,
  type ConformanceCase,
  type Outcome,
} from './conformance-frames.ts';
import { FLAG, frame, FRAME, literal, POST_BLOCK } from './raw-http2.ts';

const { endHeaders, endStream } = FLAG;
type Field = readonly [name: string, value: string];

const METHOD: Field = [':method', 'GET'];
const SCHEME: Field = [':scheme', 'https'];
const PATH: Field = [':path', '/'];
const AUTHORITY: Field = [':authority', 'a'];
const WHOLE = [METHOD, SCHEME, PATH, AUTHORITY];

const blockOf = (fields: readonly Field[]): Buffer =>
  Buffer.concat(fields.map(([name, value]) => literal(name, value)));
const asked = (...fields: Field[]): readonly Buffer[] =>
  all(frame(FRAME.headers, endHeaders | endStream, 1, blockOf(fields)));
const posted = (fields: readonly Field[], ...after: Buffer[]): readonly Buffer[] =>
  all(frame(FRAME.headers, endHeaders, 1, Buffer.concat([POST_BLOCK, blockOf(fields)])), ...after);
const data = (content: string, flags: number = endStream): Buffer => frame(FRAME.data, flags, 1, Buffer.from(content));
const trailers = (fields: readonly Field[], flags: number = endHeaders | endStream): Buffer =>
  frame(FRAME.headers, flags, 1, blockOf(fields));
/** A GET whose header block goes on with these octets. */
const block = (...octets: number[]): readonly Buffer[] =>
  all(frame(FRAME.headers, endHeaders | endStream, 1, Buffer.concat([blockOf(WHOLE), Buffer.from(octets)])));
/** Table updates come first in a block. */
const blockBehind = (...octets: number[]): readonly Buffer[] =>
  all(frame(FRAME.headers, endHeaders | endStream, 1, Buffer.concat([Buffer.from(octets), blockOf(WHOLE)])));

const MALFORMED = streamError(ERROR.protocol);
const COMPRESSION = connectionError(ERROR.compression);
const row = (clause: string, what: string, send: readonly Buffer[], outcome: Outcome): ConformanceCase => ({
  clause,
  what,
  send,
  outcome,
});
// `a` and `b` in the code of RFC 7541, Appendix B: 00011 and 100011, filled up with ones.
const HUFFMAN_A = 0x1f;
const HUFFMAN_B = 0x8f;

export const MESSAGE_CASES: readonly ConformanceCase[] = [
  row('8.1', 'GET', asked(...WHOLE), ANSWERED),
  row('8.1', 'HEAD', asked([':method', 'HEAD'], SCHEME, PATH, AUTHORITY), ANSWERED),
  row('8.1', 'POST with content and trailers', posted([], data('test', 0), trailers([['x', 'y']])), ANSWERED),
  row(
    '8.1',
    'trailers that do not end the stream',
    posted([], data('test', 0), trailers([['x', 'y']], endHeaders)),
    MALFORMED,
  ),
  row('8.2.1', 'a name in upper case', asked(...WHOLE, ['X-Test', 'a']), MALFORMED),
  row('8.2.2', 'a field about the connection', asked(...WHOLE, ['connection', 'keep-alive']), MALFORMED),
  row('8.2.2', 'a transfer coding', asked(...WHOLE, ['transfer-encoding', 'chunked']), MALFORMED),
  row('8.2.2', 'TE with more than trailers', asked(...WHOLE, ['te', 'trailers, deflate']), MALFORMED),
  row('8.2.2', 'TE with trailers', asked(...WHOLE, ['te', 'trailers']), ANSWERED),
  row('8.3', 'an unknown pseudo-field', asked(...WHOLE, [':test', 'a']), MALFORMED),
  row('8.3', 'a pseudo-field of responses', asked(...WHOLE, [':status', '200']), MALFORMED),
  row('8.3', 'a pseudo-field behind others', asked(METHOD, SCHEME, AUTHORITY, ['x', 'y'], PATH), MALFORMED),
  row('8.1', 'a pseudo-field in trailers', posted([], data('test', 0), trailers([METHOD])), MALFORMED),
  row('8.3.1', 'an empty :path', asked(METHOD, SCHEME, [':path', ''], AUTHORITY), MALFORMED),
  row('8.3.1', 'no :method', asked(SCHEME, PATH, AUTHORITY), MALFORMED),
  row('8.3.1', 'no :scheme', asked(METHOD, PATH, AUTHORITY), MALFORMED),
  row('8.3.1', 'no :path', asked(METHOD, SCHEME, AUTHORITY), MALFORMED),
  row('8.3.1', 'two of :method', asked(METHOD, METHOD, SCHEME, PATH, AUTHORITY), MALFORMED),
  row('8.3.1', 'two of :scheme', asked(METHOD, SCHEME, SCHEME, PATH, AUTHORITY), MALFORMED),
  row('8.3.1', 'two of :path', asked(METHOD, SCHEME, PATH, PATH, AUTHORITY), MALFORMED),
  row('8.3.1', 'two of :authority', asked(...WHOLE, AUTHORITY), MALFORMED),
  row('8.1.1', 'more content than its length', posted([['content-length', '1']], data('test')), MALFORMED),
  row('8.1.1', 'less content than its length', posted([['content-length', '5']], data('test')), MALFORMED),
  row('8.1.1', 'the same in two frames', posted([['content-length', '1']], data('te', 0), data('st')), MALFORMED),
  row('8.1.1', 'a length that is no number', posted([['content-length', '4x']], data('test')), MALFORMED),
  row(
    '8.4',
    'PUSH_PROMISE of a client',
    posted([], frame(FRAME.pushPromise, endHeaders, 1, Buffer.from([0, 0, 0, 2, 0x82]))),
    connectionError(ERROR.protocol),
  ),

  row('RFC 7541 6.1', 'an indexed field', block(0x90), ANSWERED),
  row('RFC 7541 6.2.1', 'with indexing, an indexed name', block(0x7a, 1, 0x61), ANSWERED),
  row('RFC 7541 6.2.1', 'with indexing, an indexed name and a coded value', block(0x7a, 0x81, HUFFMAN_A), ANSWERED),
  row('RFC 7541 6.2.1', 'with indexing, a new name, and found again', block(0x40, 1, 0x61, 1, 0x62, 0xbe), ANSWERED),
  row(
    'RFC 7541 6.2.1',
    'with indexing, a new name, all coded',
    block(0x40, 0x81, HUFFMAN_A, 0x81, HUFFMAN_B),
    ANSWERED,
  ),
  row('RFC 7541 6.2.2', 'without indexing, an indexed name', block(0x0f, 0x2b, 1, 0x61), ANSWERED),
  row(
    'RFC 7541 6.2.2',
    'without indexing, a new name, all coded',
    block(0x00, 0x81, HUFFMAN_A, 0x81, HUFFMAN_B),
    ANSWERED,
  ),
  row('RFC 7541 6.2.3', 'never indexed, an indexed name', block(0x1f, 0x2b, 1, 0x61), ANSWERED),
  row(
    'RFC 7541 6.2.3',
    'never indexed, a new name, all coded',
    block(0x10, 0x81, HUFFMAN_A, 0x81, HUFFMAN_B),
    ANSWERED,
  ),
  row('RFC 7541 6.3', 'a new size of the table', blockBehind(0x21), ANSWERED),
  row('RFC 7541 4.2', 'two new sizes of the table', blockBehind(0x20, 0x3f, 0xe1, 0x1f), ANSWERED),
  row('RFC 7541 2.3.3', 'an index behind the tables', block(0xc6), COMPRESSION),
  row('RFC 7541 2.3.3', 'a name by an index behind the tables', block(0x7f, 0x07, 1, 0x61), COMPRESSION),
  row('RFC 7541 4.2', 'a new size of the table at the end', block(0x21), COMPRESSION),
  row(
    'RFC 7541 5.2',
    'a code filled up with more than seven bits',
    block(0x00, 1, 0x61, 0x82, HUFFMAN_A, 0xff),
    COMPRESSION,
  ),
  row('RFC 7541 5.2', 'a code filled up with zeros', block(0x00, 1, 0x61, 0x81, 0x18), COMPRESSION),
  row('RFC 7541 5.2', 'a code with its end in it', block(0x00, 1, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff), COMPRESSION),
  row('RFC 7541 6.1', 'an index of zero', block(0x80), COMPRESSION),
  row('RFC 7541 6.3', 'a larger table than agreed', blockBehind(0x3f, 0xe2, 0x1f), COMPRESSION),
  row('4.3', 'a field that is cut off', block(0x40, 0x05, 0x61), COMPRESSION),
];
