// Writes PROXY headers, for clients and tests.

import { isIpv4, parseIpv4, parseIpv6, type Address } from '../address/address.ts';
import { crc32c } from './checksum.ts';
import { PROXY_TLV, UNIX_PATH_BYTES, V2_START, type ProxyHeader, type ProxyTlv } from './parser.ts';

/** Writes a header. Version 1 has no room for LOCAL, unix addresses or TLVs: they become UNKNOWN or are left out. */
export function buildProxyHeader(header: ProxyHeader, options: { readonly checksum?: boolean } = {}): Uint8Array {
  return header.version === 1 ? buildV1(header) : buildV2(header, options.checksum === true);
}

function buildV1({ command, source, destination }: ProxyHeader): Uint8Array {
  const line =
    command === 'local' || source === undefined || source.family === 'unix' || destination?.family !== source.family
      ? 'PROXY UNKNOWN\r\n'
      : `PROXY ${source.family === 'ipv4' ? 'TCP4' : 'TCP6'} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`;
  return Uint8Array.from(line, (character) => character.charCodeAt(0));
}

function buildV2({ command, source, destination, tlvs }: ProxyHeader, withChecksum: boolean): Uint8Array {
  const addresses = command === 'local' ? [0x00] : addressBytes(source, destination);
  const [familyAndTransport = 0, ...rest] = addresses;
  const body = [
    ...rest,
    ...tlvs.flatMap(tlvBytes),
    ...(withChecksum ? tlvBytes({ type: PROXY_TLV.crc32c, value: new Uint8Array(4) }) : []),
  ];
  const bytes = Uint8Array.of(
    ...V2_START,
    command === 'local' ? 0x20 : 0x21,
    familyAndTransport,
    body.length >> 8,
    body.length & 255,
    ...body,
  );
  if (withChecksum) new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32c(bytes));
  return bytes;
}

const tlvBytes = ({ type, value }: ProxyTlv): number[] => [type, value.length >> 8, value.length & 255, ...value];

/**
 * The byte of family and transport, then the addresses. Two families in one header are IPv6, with the other one mapped.
 */
function addressBytes(source: Address | undefined, destination: Address | undefined): number[] {
  if (source === undefined || destination === undefined) return [0x00];
  if (source.family === 'unix' || destination.family === 'unix')
    return [0x31, ...unixBytes(source), ...unixBytes(destination)];
  const ports = [source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255];
  if (source.family === 'ipv4' && destination.family === 'ipv4')
    return [0x11, ...(parseIpv4(source.address) ?? []), ...(parseIpv4(destination.address) ?? []), ...ports];
  return [0x21, ...sixteenBytes(source.address), ...sixteenBytes(destination.address), ...ports];
}

const sixteenBytes = (address: string): number[] =>
  (parseIpv6(isIpv4(address) ? `::ffff:${address}` : address) ?? new Array<number>(8).fill(0)).flatMap((group) => [
    group >> 8,
    group & 255,
  ]);

function unixBytes(address: Address): Uint8Array {
  const bytes = new Uint8Array(UNIX_PATH_BYTES);
  if (address.family !== 'unix') return bytes;
  const abstract = address.path.startsWith('@');
  bytes.set(
    new TextEncoder().encode(abstract ? address.path.slice(1) : address.path).subarray(0, UNIX_PATH_BYTES - 1),
    abstract ? 1 : 0,
  );
  return bytes;
}
