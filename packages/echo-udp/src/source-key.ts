// The number under which a source's datagrams are counted: an IPv4 address, or the first 64 bits of an IPv6 address,
// since one subscriber usually holds a whole /64. Text in, two numbers out, with nothing allocated: this runs for each
// datagram.

/** Filled by `readSourceKey`. IPv4: `high` is 0. */
export interface SourceKey {
  high: number;
  low: number;
}

const DIGIT_ZERO = 0x30;
const DOT = 0x2e;
const COLON = 0x3a;
const PERCENT = 0x25;
const LETTER_A = 0x61;

const groups = new Uint16Array(8);

/**
 * Reads the address as the system writes it (lower case, canonical or not, with or without a zone). What is no address
 * counts as one source.
 */
export function readSourceKey(address: string, key: SourceKey): void {
  key.high = 0;
  key.low = 0;
  if (address.includes(':')) readIpv6(address, key);
  else key.low = readIpv4(address, 0);
}

function readIpv4(address: string, from: number): number {
  let value = 0;
  let byte = 0;
  for (let index = from; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      value = (value << 8) | byte;
      byte = 0;
    } else byte = byte * 10 + (code - DIGIT_ZERO);
  }
  return ((value << 8) | byte) >>> 0;
}

function readIpv6(address: string, key: SourceKey): void {
  let count = 0;
  let gapAt = -1;
  let group = 0;
  let hasDigits = false;
  let partStart = 0;
  for (let index = 0; index <= address.length && count < 8; index += 1) {
    const code = index < address.length ? address.charCodeAt(index) : PERCENT;
    if (code === COLON || code === PERCENT) {
      if (hasDigits) groups[count++] = group;
      else if (code === COLON && index > 0) gapAt = count;
      group = 0;
      hasDigits = false;
      partStart = index + 1;
      if (code === PERCENT) break;
    } else if (code === DOT) {
      // An IPv4 source on a socket of both families: it counts as what it is.
      key.low = readIpv4(address, partStart);
      return;
    } else {
      group = (group << 4) | (code >= LETTER_A ? code - LETTER_A + 10 : code - DIGIT_ZERO);
      hasDigits = true;
    }
  }
  // Only the first four groups count; those behind the gap are moved to the end.
  const moved = gapAt < 0 ? 0 : 8 - count;
  const at = (place: number): number =>
    gapAt < 0 || place < gapAt ? (groups[place] ?? 0) : place < gapAt + moved ? 0 : (groups[place - moved] ?? 0);
  key.high = ((at(0) << 16) | at(1)) >>> 0;
  key.low = ((at(2) << 16) | at(3)) >>> 0;
}
