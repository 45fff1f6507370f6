// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): who the client is, said by a proxy in front.
// Bytes in, one header or a problem out. No sockets, no timers, no opinion about which peers to believe.
//
// A parser answers `more` until it has the whole header. It fails on the first byte that cannot belong to one, keeps no
// more than `maxBytes`, and hands back untouched what followed the header in the last chunk.

import { isIpv4, isIpv6, normalizeIp, parseIpv6, type Address } from '../address/address.ts';
import { crc32c } from './checksum.ts';

export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `local`: the proxy speaks for itself (a health check). The connection's own endpoints count. */
  readonly command: 'proxy' | 'local';
  /** Absent where the proxy does not say (UNKNOWN, UNSPEC): then too the connection's own endpoints count. */
  readonly source?: Address;
  readonly destination?: Address;
  /** Of version 2, in their order, without the checksum and the padding. */
  readonly tlvs: readonly ProxyTlv[];
}

export type ProxyStep =
  | { readonly type: 'more' }
  | { readonly type: 'header'; readonly header: ProxyHeader; readonly rest: Uint8Array }
  | { readonly type: 'error'; readonly problem: string };

export interface ProxyParser {
  /** Feeds one chunk. Never throws. After a header or an error the parser is spent. */
  push(chunk: Uint8Array): ProxyStep;
}

/** Types of TLVs that have a name (§2.2). */
export const PROXY_TLV = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  networkNamespace: 0x30,
} as const;

const V1_START = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0));
/** The twelve bytes that no other protocol begins with. */
export const V2_START: Uint8Array = Uint8Array.of(
  0x0d,
  0x0a,
  0x0d,
  0x0a,
  0x00,
  0x0d,
  0x0a,
  0x51,
  0x55,
  0x49,
  0x54,
  0x0a,
);
// The longest line of version 1, with its CR LF (§2.1).
const V1_MAX_BYTES = 107;
const V2_FIXED_BYTES = 16;
// The length field allows 65535; proxies send some hundred bytes, a client certificate's names included.
const DEFAULT_MAX_BYTES = 4096;
const CR = 13;
const LF = 10;

const error = (problem: string): ProxyStep => ({ type: 'error', problem });
const MORE: ProxyStep = { type: 'more' };
const NO_BYTES = new Uint8Array(0);

/** A parser for one header. */
export function createProxyParser({ maxBytes = DEFAULT_MAX_BYTES }: { readonly maxBytes?: number } = {}): ProxyParser {
  let kept = NO_BYTES;
  return {
    push(chunk) {
      const bytes = kept.length === 0 ? chunk : joined(kept, chunk);
      const step = parse(bytes, maxBytes);
      // Shorter than the longest header, or `parse` had said no.
      if (step.type === 'more') kept = new Uint8Array(bytes);
      return step;
    },
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** How the bytes compare to a signature: all of it, a part of it, or something else. */
function startsWith(bytes: Uint8Array, start: Uint8Array): 'yes' | 'perhaps' | 'no' {
  const length = Math.min(bytes.length, start.length);
  for (let index = 0; index < length; index += 1) if (bytes[index] !== start[index]) return 'no';
  return length === start.length ? 'yes' : 'perhaps';
}

function parse(bytes: Uint8Array, maxBytes: number): ProxyStep {
  const v1 = startsWith(bytes, V1_START);
  if (v1 === 'yes') return parseV1(bytes);
  const v2 = startsWith(bytes, V2_START);
  if (v2 === 'yes') return parseV2(bytes, maxBytes);
  return v1 === 'perhaps' || v2 === 'perhaps' ? MORE : error('no PROXY header');
}

// Version 1: one line of text
// ------------------------------------------------------------------------------------------

function parseV1(bytes: Uint8Array): ProxyStep {
  const searched = bytes.subarray(0, V1_MAX_BYTES);
  const end = searched.indexOf(LF);
  if (end < 0) return bytes.length >= V1_MAX_BYTES ? error(`the line is longer than ${V1_MAX_BYTES} bytes`) : MORE;
  if (bytes[end - 1] !== CR) return error('the line does not end with CR LF');
  const rest = bytes.subarray(end + 1);
  const [family, ...fields] = String.fromCharCode(...searched.subarray(V1_START.length, end - 1)).split(' ');
  // Whatever follows UNKNOWN on the line is to be ignored (§2.1).
  if (family === 'UNKNOWN') return { type: 'header', header: { version: 1, command: 'proxy', tlvs: [] }, rest };
  if (family !== 'TCP4' && family !== 'TCP6') return error('the family is none of TCP4, TCP6 and UNKNOWN');
  const [source, destination, sourcePort, destinationPort, ...more] = fields;
  if (more.length > 0 || destinationPort === undefined) return error('not four fields after the family');
  const from = endpointOfV1(family, source, sourcePort);
  const to = endpointOfV1(family, destination, destinationPort);
  if (from === undefined || to === undefined) return error('an address or a port is not valid');
  return { type: 'header', header: { version: 1, command: 'proxy', source: from, destination: to, tlvs: [] }, rest };
}

function endpointOfV1(family: 'TCP4' | 'TCP6', address = '', port = ''): Address | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 65535) return undefined;
  if (family === 'TCP4') return isIpv4(address) ? { family: 'ipv4', address, port: Number(port) } : undefined;
  // A zone would only mean something on the proxy's machine.
  return isIpv6(address) && !address.includes('%') ? ipAddress(address, Number(port)) : undefined;
}

/** A client that the proxy met over IPv4 may be written as ::ffff:a.b.c.d; it is the same client. */
function ipAddress(text: string, port: number): Address {
  const groups = parseIpv6(text);
  const address = groups === undefined ? text : normalizeIp(textOfGroups(groups));
  return { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port };
}

/** RFC 5952: lower case, no leading zeros, the longest run of zeros as `::`, mapped addresses with dots. */
function textOfGroups(groups: readonly number[]): string {
  const [a = 0, b = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.length < 2) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

// Version 2: binary
// ----------------------------------------------------------------------------------------------------

const FAMILY_ADDRESS_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };
/** sun_path. */
export const UNIX_PATH_BYTES = 108;

function parseV2(bytes: Uint8Array, maxBytes: number): ProxyStep {
  const [versionAndCommand, familyAndTransport] = bytes.subarray(V2_START.length);
  if (versionAndCommand === undefined) return MORE;
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return error('neither version 2 nor a command it has');
  if (familyAndTransport === undefined) return MORE;
  const family = familyAndTransport >> 4;
  const addressBytes = FAMILY_ADDRESS_BYTES[family];
  if (addressBytes === undefined || (familyAndTransport & 15) > 2)
    return error('the family or the transport is not known');
  if (bytes.length < V2_FIXED_BYTES) return MORE;
  const length = V2_FIXED_BYTES + (bytes[14] ?? 0) * 256 + (bytes[15] ?? 0);
  if (length > maxBytes) return error(`the header has ${length} bytes, at most ${maxBytes} are taken`);
  if (bytes.length < length) return MORE;
  // Not `slice`, which on a Buffer copies nothing.
  const header = new Uint8Array(bytes.subarray(0, length));
  const rest = bytes.subarray(length);
  const local = versionAndCommand === 0x20;
  // Of a LOCAL header nothing counts but its length (§2.2).
  if (local) return { type: 'header', header: { version: 2, command: 'local', tlvs: [] }, rest };
  if (length - V2_FIXED_BYTES < addressBytes) return error('too short for its addresses');
  const tlvs = parseTlvs(header.subarray(V2_FIXED_BYTES + addressBytes));
  if (tlvs === undefined) return error('a TLV goes beyond the end');
  if (!checksumHolds(header, V2_FIXED_BYTES + addressBytes, tlvs)) return error('the checksum is wrong');
  const said = tlvs.filter(({ type }) => type !== PROXY_TLV.crc32c && type !== PROXY_TLV.noop);
  const addresses = addressesOfV2(family, header.subarray(V2_FIXED_BYTES));
  return { type: 'header', header: { version: 2, command: 'proxy', ...addresses, tlvs: said }, rest };
}

function addressesOfV2(family: number, bytes: Uint8Array): Pick<ProxyHeader, 'source' | 'destination'> {
  const port = (offset: number): number => (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
  if (family === 1) {
    return {
      source: { family: 'ipv4', address: bytes.subarray(0, 4).join('.'), port: port(8) },
      destination: { family: 'ipv4', address: bytes.subarray(4, 8).join('.'), port: port(10) },
    };
  }
  if (family === 2) {
    const address = (offset: number): string =>
      textOfGroups(Array.from({ length: 8 }, (_, index) => port(offset + index * 2)));
    return { source: ipAddress(address(0), port(32)), destination: ipAddress(address(16), port(34)) };
  }
  if (family === 3)
    return {
      source: unixAddress(bytes.subarray(0, UNIX_PATH_BYTES)),
      destination: unixAddress(bytes.subarray(UNIX_PATH_BYTES, 2 * UNIX_PATH_BYTES)),
    };
  return {};
}

/** A path ends with NUL; an abstract name begins with one. */
function unixAddress(bytes: Uint8Array): Address {
  const abstract = bytes[0] === 0 && bytes[1] !== 0;
  const name = bytes.subarray(abstract ? 1 : 0);
  const end = name.indexOf(0);
  return { family: 'unix', path: `${abstract ? '@' : ''}${decoder.decode(end < 0 ? name : name.subarray(0, end))}` };
}

const decoder = new TextDecoder();

/** A sequence of TLVs; undefined when one goes beyond the end. */
export function parseTlvs(bytes: Uint8Array): ProxyTlv[] | undefined {
  const tlvs: ProxyTlv[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const [type = 0, high, low] = bytes.subarray(offset, offset + 3);
    if (high === undefined || low === undefined) return undefined;
    const end = offset + 3 + high * 256 + low;
    if (end > bytes.length) return undefined;
    tlvs.push({ type, value: bytes.subarray(offset + 3, end) });
    offset = end;
  }
  return tlvs;
}

/** Over the whole header, with zeros in place of the checksum itself (§2.2.3). */
function checksumHolds(header: Uint8Array, tlvsAt: number, tlvs: readonly ProxyTlv[]): boolean {
  let offset = tlvsAt;
  for (const { type, value } of tlvs) {
    if (type === PROXY_TLV.crc32c) {
      if (value.length !== 4) return false;
      const zeroed = new Uint8Array(header).fill(0, offset + 3, offset + 7);
      return crc32c(zeroed) === new DataView(value.buffer, value.byteOffset).getUint32(0);
    }
    offset += 3 + value.length;
  }
  return true;
}
