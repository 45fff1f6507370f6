// GMCP, the Generic MUD Communication Protocol: a package name, and JSON behind a space. UTF-8 whatever the text is in.

export interface GmcpMessage {
  /** Such as `Core.Hello` or `Room.Info`, as the peer spells it. */
  readonly name: string;
  /** What its JSON says; undefined where there was none. Unchecked: anything that JSON can be. */
  readonly data: unknown;
}

const NAME_FORM = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const MAX_NAME_CHARACTERS = 128;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A name that may be sent. */
export const isGmcpName = (name: string): boolean => name.length <= MAX_NAME_CHARACTERS && NAME_FORM.test(name);

/**
 * A message as a payload. JSON escapes the control characters below 32; those from 127 on are escaped too, since
 * clients have been found to show them. Undefined when the name is none, or the data is nothing that JSON can say.
 */
export function encodeGmcp(name: string, data?: unknown): Uint8Array | undefined {
  if (!isGmcpName(name)) return undefined;
  if (data === undefined) return encoder.encode(name);
  const json = jsonOf(data)?.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return json === undefined ? undefined : encoder.encode(`${name} ${json}`);
}

function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    // A cycle, or a bigint.
    return undefined;
  }
}

/** Reads a message; undefined when the name or the JSON is none. Never throws. */
export function parseGmcp(payload: Uint8Array): GmcpMessage | undefined {
  const [, name, json = ''] = /^(\S+)(?:\s+([^]*))?$/.exec(decoder.decode(payload)) ?? [];
  if (name === undefined || !isGmcpName(name)) return undefined;
  if (json.trim() === '') return { name, data: undefined };
  try {
    return { name, data: JSON.parse(json) as unknown };
  } catch {
    return undefined;
  }
}

/** At most so many modules of one client are remembered. */
const MAX_MODULES = 64;

/**
 * The modules that a client supports after a message of `Core.Supports`: `Set`, `Add` and `Remove` take lists such as
 * `["Char 1", "Room 1"]`. Names are in lower case, since clients spell them as they like.
 */
export function addGmcpSupport(
  modules: ReadonlyMap<string, number>,
  { name, data }: GmcpMessage,
): ReadonlyMap<string, number> {
  const verb = /^core\.supports\.(set|add|remove)$/i.exec(name)?.[1]?.toLowerCase();
  if (verb === undefined || !Array.isArray(data)) return modules;
  const known = new Map(verb === 'set' ? [] : modules);
  for (const entry of data.slice(0, MAX_MODULES) as unknown[]) {
    const [, module, version = '1'] =
      /^(\S{1,64})(?: ([0-9]{1,4}))?$/.exec(typeof entry === 'string' ? entry : '') ?? [];
    if (module === undefined) continue;
    if (verb === 'remove') known.delete(module.toLowerCase());
    else if (known.size < MAX_MODULES) known.set(module.toLowerCase(), Number(version));
  }
  return known;
}
