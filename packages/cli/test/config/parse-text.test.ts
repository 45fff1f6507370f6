// Values and places of configuration texts.

import { describe, expect, test } from 'vitest';
import { parseText, type TextFormat } from '../../src/config/parse-text.ts';

const TEXTS: Readonly<Record<TextFormat, string>> = {
  yaml: 'workers: 2\nservices:\n  web:\n    protocol: http\n    listen:\n      - tcp://:80\n      - tls://:443\n',
  json: '{\n\t"workers": 2,\n\t"services": {\n\t\t"web": {\n\t\t\t"protocol": "http",\n\t\t\t"listen": ["tcp://:80",\n\t\t\t\t"tls://:443"]\n\t\t}\n\t}\n}\n',
  toml: 'workers = 2\n\n[services.web]\nprotocol = "http"\nlisten = [\n  "tcp://:80",\n  "tls://:443",\n]\n',
};

const PLACES: Readonly<Record<TextFormat, readonly (readonly [line: number, column: number])[]>> = {
  yaml: [
    [1, 1],
    [3, 3],
    [4, 5],
    [7, 9],
  ],
  json: [
    [2, 2],
    [4, 3],
    [5, 4],
    [7, 5],
  ],
  toml: [
    [1, 1],
    [3, 2],
    [4, 1],
    [7, 3],
  ],
};

describe.each(['yaml', 'json', 'toml'] as const)('%s', (format) => {
  test('has the value, and the place of every key and element', async () => {
    const { value, places, problems } = await parseText(TEXTS[format], format);
    expect(problems).toEqual([]);
    expect(value).toEqual({ workers: 2, services: { web: { protocol: 'http', listen: ['tcp://:80', 'tls://:443'] } } });
    const paths = [['workers'], ['services', 'web'], ['services', 'web', 'protocol'], ['services', 'web', 'listen', 1]];
    expect(paths.map((path) => places.of(path))).toEqual(PLACES[format].map(([line, column]) => ({ line, column })));
  });

  test('of what has no place of its own, has the place of what is around it', async () => {
    const { places } = await parseText(TEXTS[format], format);
    expect(places.of(['services', 'web', 'nothing', 3])).toEqual(places.of(['services', 'web']));
  });
});

test('a byte order mark is no part of a text', async () => {
  expect((await parseText('\uFEFF{"workers": 1}', 'json')).value).toEqual({ workers: 1 });
});

test('aliases and merged keys of YAML are what they stand for', async () => {
  const { value, problems } = await parseText('a: &a { x: 1 }\nb: { <<: *a, y: 2 }\n', 'yaml');
  expect(problems).toEqual([]);
  expect(value).toEqual({ a: { x: 1 }, b: { x: 1, y: 2 } });
});

test.each([
  ['json', '{"a": 1,\n "b": }', 2, /^this is no JSON: /],
  ['json', '{"a": 1', 1, /^this is no JSON: /],
  ['json', '# no comment\n{}', 1, /^this is no JSON: /],
  ['yaml', 'a: 1\nb: [1, 2\n', 3, /./],
  ['yaml', 'a: 1\na: 2\n', 2, /unique/],
  ['toml', 'a = 1\nb = \n', 2, /^this is no TOML: /],
  ['toml', '[a]\nx = 1\n[a]\n', 3, /^this is no TOML: /],
] as const)('%s %j is a problem with its line', async (format, text, line, message) => {
  const { problems } = await parseText(text, format);
  expect(problems.map(({ place }) => place?.line)).toContain(line);
  expect(problems[0]?.message).toMatch(message);
});

test('aliases that would unfold without end are a problem', async () => {
  const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n},*a${n},*a${n},*a${n},*a${n}]`);
  const { problems } = await parseText(['a0: &a0 [x]', ...levels].join('\n'), 'yaml');
  expect(problems).toHaveLength(1);
});
