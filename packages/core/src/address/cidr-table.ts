// Address ranges and what is said of them; the most specific range wins. A binary trie for each family: looking up an
// address follows its bits and remembers the last value it passed. IPv4-mapped IPv6 counts as IPv4.

import { parseIpv4, parseIpv6, type Address } from './address.ts';
import { fail, ok, type Result } from '../result.ts';

interface Node<Value> {
  zero: Node<Value> | undefined;
  one: Node<Value> | undefined;
  entry: { readonly cidr: string; readonly value: Value } | undefined;
}

interface Range {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
  readonly prefix: number;
}

const MAPPED_BITS = 96;

const bytesOfGroups = (groups: readonly number[]): number[] => groups.flatMap((group) => [group >> 8, group & 255]);
const isMapped = (bytes: readonly number[]): boolean =>
  bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;

/**
 * Reads `192.0.2.0/24`, `2001:db8::/32`, or an address alone. Bits beyond the prefix must be zero: they are a misprint.
 */
export function parseCidr(text: string): Result<Range, string> {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const v4 = parseIpv4(addressText);
  const v6 = v4 === undefined ? parseIpv6(addressText) : undefined;
  const bytes = v4 ?? (v6 === undefined ? undefined : bytesOfGroups(v6));
  if (bytes === undefined) return fail(`'${addressText}' is neither an IPv4 nor an IPv6 address`);
  const bits = bytes.length * 8;
  const prefixText = slash < 0 ? String(bits) : text.slice(slash + 1);
  const prefix = /^(?:0|[1-9][0-9]{0,2})$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (!(prefix <= bits)) return fail(`'/${prefixText}' is no prefix length, allowed is /0 to /${bits}`);
  for (let bit = prefix; bit < bits; bit += 1) {
    if (bitAt(bytes, bit) === 1) return fail(`'${text}' has bits beyond its prefix of ${prefix}`);
  }
  if (v6 !== undefined && prefix >= MAPPED_BITS && isMapped(bytes))
    return ok({ family: 4, bytes: bytes.slice(12), prefix: prefix - MAPPED_BITS });
  return ok({ family: v4 === undefined ? 6 : 4, bytes, prefix });
}

const bitAt = (bytes: readonly number[], bit: number): number => ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;

/** Ranges with a value each. */
export class CidrTable<Value> {
  readonly #v4: Node<Value> = emptyNode();
  readonly #v6: Node<Value> = emptyNode();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a range. The problem is a sentence; a range that is there already with another value is one. */
  add(cidr: string, value: Value): Result<true, string> {
    const range = parseCidr(cidr);
    if (!range.ok) return range;
    let node = range.value.family === 4 ? this.#v4 : this.#v6;
    for (let bit = 0; bit < range.value.prefix; bit += 1) {
      if (bitAt(range.value.bytes, bit) === 0) node = node.zero ??= emptyNode();
      else node = node.one ??= emptyNode();
    }
    if (node.entry !== undefined && node.entry.value !== value)
      return fail(`'${cidr}' is there already, with the opposite meaning`);
    if (node.entry === undefined) this.#size += 1;
    node.entry = { cidr, value };
    return ok(true);
  }

  /** The most specific range that holds the address. Unix addresses and what is no address are in none. */
  match(address: Address | string): { readonly cidr: string; readonly value: Value } | undefined {
    if (typeof address !== 'string' && address.family === 'unix') return undefined;
    const text = typeof address === 'string' ? address : address.address;
    const v4 = parseIpv4(text);
    if (v4 !== undefined) return walk(this.#v4, v4);
    const zone = text.indexOf('%');
    const groups = parseIpv6(zone < 0 ? text : text.slice(0, zone));
    if (groups === undefined) return undefined;
    const bytes = bytesOfGroups(groups);
    return isMapped(bytes) ? walk(this.#v4, bytes.slice(12)) : walk(this.#v6, bytes);
  }
}

const emptyNode = <Value>(): Node<Value> => ({ zero: undefined, one: undefined, entry: undefined });

function walk<Value>(root: Node<Value>, bytes: readonly number[]): Node<Value>['entry'] {
  let best = root.entry;
  let node: Node<Value> | undefined = root;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    node = bitAt(bytes, bit) === 0 ? node.zero : node.one;
    if (node === undefined) break;
    best = node.entry ?? best;
  }
  return best;
}
