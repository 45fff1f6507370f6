// Addresses as values: parsing and writing of IPv4 and IPv6 text (RFC 4291 §2.2, RFC 5952), without asking the system.

export type IpFamily = 'ipv4' | 'ipv6';

/** One end of a connection. */
export type Address =
  | { readonly family: IpFamily; readonly address: string; readonly port: number }
  /** `path` is empty for the unnamed end of a unix connection; an abstract name starts with `@`. */
  | { readonly family: 'unix'; readonly path: string };

/** The four bytes of dotted IPv4 text, or undefined. Leading zeros are refused: some parsers read them as octal. */
export function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

const groupsOf = (text: string): number[] | undefined => {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (v4 === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      groups.push(a * 256 + b, c * 256 + d);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
};

/** The eight 16-bit groups of IPv6 text without a zone, or undefined. */
export function parseIpv6(text: string): number[] | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = groupsOf(text);
    return groups?.length === 8 ? groups : undefined;
  }
  if (text.includes('::', gap + 1)) return undefined;
  const head = groupsOf(text.slice(0, gap));
  const tail = groupsOf(text.slice(gap + 2));
  // The gap stands for at least one group.
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** IPv6 text may carry a zone (`fe80::1%eth0`), which only means something to this machine. */
export function isIpv6(text: string): boolean {
  const zone = text.indexOf('%');
  if (zone === text.length - 1) return false;
  return parseIpv6(zone < 0 ? text : text.slice(0, zone)) !== undefined;
}

export const isIpv4 = (text: string): boolean => parseIpv4(text) !== undefined;

const MAPPED_PREFIX = '::ffff:';

/** An IPv4 peer of a dual-stack socket appears as `::ffff:a.b.c.d`; limits and logs must see one address, not two. */
export function normalizeIp(text: string): string {
  if (!text.startsWith(MAPPED_PREFIX)) return text;
  const rest = text.slice(MAPPED_PREFIX.length);
  return isIpv4(rest) ? rest : text;
}

/** One end of a TCP socket, as Node tells it; after a reset it no longer does, and the address is empty. */
export function socketAddress(ip: string | undefined, port: number | undefined): Address {
  const address = normalizeIp(ip ?? '');
  return { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port: port ?? 0 };
}

/**
 * The key under which limits count a peer: IPv4 by address, IPv6 by /64, since one subscriber usually holds a whole
 * /64. Unix peers share one key.
 */
export function limitKey(address: Address): string {
  if (address.family === 'unix') return 'unix';
  if (address.family === 'ipv4') return address.address;
  const zone = address.address.indexOf('%');
  const groups = parseIpv6(zone < 0 ? address.address : address.address.slice(0, zone));
  return groups === undefined
    ? address.address
    : `${groups
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':')}::/64`;
}

/** `127.0.0.1:80`, `[::1]:80` or `unix:/run/x`, for logs and status. */
export function formatAddress(address: Address): string {
  if (address.family === 'unix') return `unix:${address.path}`;
  return address.family === 'ipv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
