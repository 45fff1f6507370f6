// MSDP, the MUD Server Data Protocol: variables whose values are texts, lists and tables, nested.

export type MsdpValue = string | readonly MsdpValue[] | { readonly [name: string]: MsdpValue };

export interface MsdpMessage {
  readonly name: string;
  readonly value: MsdpValue;
}

const VAR = 1;
const VAL = 2;
const TABLE_OPEN = 3;
const TABLE_CLOSE = 4;
const ARRAY_OPEN = 5;
const ARRAY_CLOSE = 6;
// Deeper than any variable that is known, and no more than a stack can bear.
const MAX_DEPTH = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** The marks of the protocol, and NUL, can't be in a text. */
const textBytes = (text: string): Uint8Array => encoder.encode(text.replace(/[\u0000-\u0006]/g, ' '));

function valueBytes(value: MsdpValue): number[] {
  if (typeof value === 'string') return [...textBytes(value)];
  if (isList(value)) return [ARRAY_OPEN, ...value.flatMap((each) => [VAL, ...valueBytes(each)]), ARRAY_CLOSE];
  return [TABLE_OPEN, ...Object.entries(value).flatMap(([name, each]) => variable(name, each)), TABLE_CLOSE];
}
const isList = (value: MsdpValue): value is readonly MsdpValue[] => Array.isArray(value);
const variable = (name: string, value: MsdpValue): number[] => [VAR, ...textBytes(name), VAL, ...valueBytes(value)];

/** A variable and its value as a payload. */
export const encodeMsdp = (name: string, value: MsdpValue): Uint8Array => Uint8Array.from(variable(name, value));

/**
 * Reads the variables of a payload. What makes no sense, or is nested deeper than sixteen levels, ends it: what was read
 * by then is returned. A variable with several values has them as a list.
 */
export function parseMsdp(payload: Uint8Array): MsdpMessage[] {
  let at = 0;
  const text = (): string => {
    const start = at;
    while (at < payload.length && (payload[at] ?? 0) > ARRAY_CLOSE) at += 1;
    return decoder.decode(payload.subarray(start, at));
  };
  /** True, and past it, when the next byte is this mark. */
  const mark = (code: number): boolean => {
    if (payload[at] !== code) return false;
    at += 1;
    return true;
  };
  const value = (depth: number): MsdpValue | undefined => {
    if (depth > MAX_DEPTH) return undefined;
    if (mark(ARRAY_OPEN)) {
      const list = values(depth + 1);
      return mark(ARRAY_CLOSE) ? list : undefined;
    }
    if (mark(TABLE_OPEN)) {
      const table = variables(depth + 1);
      // A map without a prototype: `__proto__` is a name like any other.
      const named = Object.create(null) as Record<string, MsdpValue>;
      for (const { name, value: each } of table) named[name] = each;
      return mark(TABLE_CLOSE) ? named : undefined;
    }
    return text();
  };
  const values = (depth: number): MsdpValue[] => {
    const list: MsdpValue[] = [];
    while (mark(VAL)) {
      const one = value(depth);
      if (one === undefined) break;
      list.push(one);
    }
    return list;
  };
  const variables = (depth: number): MsdpMessage[] => {
    const found: MsdpMessage[] = [];
    while (mark(VAR)) {
      const name = text();
      const [first, ...others] = values(depth);
      if (name === '' || first === undefined) break;
      found.push({ name, value: others.length === 0 ? first : [first, ...others] });
    }
    return found;
  };
  return variables(0);
}
