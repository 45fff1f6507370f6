// docs/architecture.md draws the rooms of each package; `.dependency-cruiser.mjs` holds the arrows between them. Here the
// drawing is held against the rule, and both against the folders.

import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Rule {
  readonly LEVELS: Readonly<Record<string, readonly (readonly string[])[]>>;
}

const ROOT = new URL('../', import.meta.url);
const { LEVELS } = (await import(new URL('.dependency-cruiser.mjs', ROOT).href)) as Rule;
const architecture = readFileSync(new URL('docs/architecture.md', ROOT), 'utf8');

/** The rows of the table under the heading of a package: each is a level, the lowest first. */
function drawnLevels(name: string): string[][] {
  const [, section = ''] = architecture.split(new RegExp(`^### packages/${name}\\b.*$`, 'm'));
  const table = /^\|(?:.*\n)+?(?=\n)/m.exec(section)?.[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .map((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, room = '']) => room))
    .filter((rooms) => rooms.length > 0);
}

describe.each(Object.keys(LEVELS))('packages/%s', (name) => {
  test('is drawn as the rule of its arrows has it', () => {
    expect(drawnLevels(name)).toEqual(LEVELS[name]);
  });

  test('has no folder and no file outside of its rooms', () => {
    const entries = readdirSync(new URL(`packages/${name}/src/`, ROOT), { withFileTypes: true });
    const found = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    expect(new Set(LEVELS[name]?.flat())).toEqual(new Set(found));
  });
});

test('every source file that the drawing names is there', () => {
  const named = [...architecture.matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/g)].map(([, file = '']) => file);
  const sources = Object.keys(LEVELS).flatMap((name) =>
    readdirSync(new URL(`packages/${name}/src/`, ROOT), { recursive: true, encoding: 'utf8' }),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !sources.includes(file))).toEqual([]);
});
