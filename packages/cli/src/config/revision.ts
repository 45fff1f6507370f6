// Whether a reload has changed a service: the same text means that nothing of it has.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConfigKey } from './config-keys.ts';
import type { OptionTexts } from './option-texts.ts';

// Written by the service, or read again by itself whenever it has changed.
const NOT_COMPARED: ReadonlySet<string> = new Set(['access-log', 'users']);

/** Of its options, of what moves its ports, and of what is in the files that they name: certificates, a handler's module. */
export function revisionOf(
  protocol: string,
  texts: OptionTexts,
  keys: readonly ConfigKey[],
  portOffset: number,
): string {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([protocol, portOffset, Object.entries(texts).sort(([one], [other]) => (one < other ? -1 : 1))]),
  );
  for (const { option, argument } of keys) {
    if (argument !== 'FILE' || NOT_COMPARED.has(option)) continue;
    for (const file of texts[option] ?? []) hash.update(contentsOf(file));
  }
  return hash.digest('hex');
}

function contentsOf(file: string): string | Uint8Array {
  try {
    return readFileSync(file);
  } catch {
    // Its option is told to be wrong where it is read.
    return '';
  }
}
