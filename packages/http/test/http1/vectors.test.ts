import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GUNICORN_DEVIATIONS, GUNICORN_READ_DIFFERENTLY, LLHTTP_DEVIATIONS, type Deviation } from './deviations.ts';
import { octets, parseAll, type Parsed } from './parse-all.ts';

interface LlhttpCase {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly meta: { readonly type: string };
  readonly payload: string;
  readonly error: { readonly reason: string } | null;
  readonly messages: number;
}
interface GunicornRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}
interface GunicornCase {
  readonly kind: 'valid' | 'invalid';
  readonly file: string;
  readonly payload: string;
  readonly expect?: GunicornRequest | readonly GunicornRequest[];
}

const load = (name: string): unknown => JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8'));

/**
 * Most cases leave Host out, which has its own rule and its own tests; here it must not hide what the case is about.
 */
function parseCase(payload: string): Parsed {
  const parsed = parseAll([octets(payload)]);
  return parsed.refusal === 'host-missing'
    ? parseAll([
        octets(payload.replace(/^([^\s]+ [^\s]+ HTTP\/1\.1\r\n)(?!(?:[^\r\n]+\r\n)*host:)/gim, '$1Host: h\r\n')),
      ])
    : parsed;
}
function verdictOf({ refusal, requests }: Parsed): Deviation['ours'] {
  if (refusal !== undefined) return 'refused';
  return requests.length > 0 && requests.every(({ complete }) => complete) ? 'accepted' : 'incomplete';
}

describe('llhttp', () => {
  const cases = (load('llhttp.json') as LlhttpCase[]).filter(
    ({ meta }) => meta.type === 'request' || meta.type === 'request-finish',
  );

  test.each(cases.map((item) => [`${item.file}:${item.line}`, item] as const))(
    '%s is decided as there, or listed with a reason',
    (key, item) => {
      const parsed = parseCase(item.payload);
      const theirs = item.error === null ? `accepted ${item.messages}` : 'refused';
      const complete = parsed.requests.filter((request) => request.complete).length;
      const ours = parsed.refusal === undefined ? `accepted ${complete}` : 'refused';
      const deviation = LLHTTP_DEVIATIONS[key];
      expect(deviation === undefined ? ours : verdictOf(parsed)).toBe(deviation?.ours ?? theirs);
      expect(deviation !== undefined).toBe(ours !== theirs);
    },
  );

  test('no deviation is listed for a case that does not exist', () => {
    expect(
      Object.keys(LLHTTP_DEVIATIONS).filter((key) => !cases.some((item) => `${item.file}:${item.line}` === key)),
    ).toEqual([]);
  });
});

describe('gunicorn', () => {
  const cases = load('gunicorn.json') as GunicornCase[];

  test.each(cases.map((item) => [`${item.kind}:${item.file}`, item] as const))(
    '%s is decided as there, or listed with a reason',
    (key, item) => {
      const parsed = parseCase(item.payload);
      const ours = verdictOf(parsed);
      const theirs = item.kind === 'valid' ? ['accepted'] : ['refused', 'incomplete'];
      const deviation = GUNICORN_DEVIATIONS[key];
      expect(deviation === undefined ? theirs : [deviation.ours]).toContain(ours);
      expect(deviation !== undefined).toBe(!theirs.includes(ours));
    },
  );

  const understood = cases.filter(
    (item) =>
      item.kind === 'valid' &&
      GUNICORN_DEVIATIONS[`valid:${item.file}`] === undefined &&
      GUNICORN_READ_DIFFERENTLY[item.file] === undefined,
  );
  test.each(understood.map((item) => [item.file, item] as const))('%s is read as there', (_, item) => {
    const expected = [item.expect].flat() as GunicornRequest[];
    const { requests } = parseCase(item.payload);
    const addedHost = item.payload.toLowerCase().includes('host:') ? '' : 'host';
    const read = requests.map(({ method, target, fields, body }) => ({
      method,
      uri: target,
      headers: fields.filter(([name]) => name !== addedHost).map(([name, value]) => [name.toUpperCase(), value]),
      body,
    }));
    expect(read.slice(0, expected.length)).toEqual(
      expected.map(({ method, uri, headers, body }) => ({ method, uri, headers, body })),
    );
  });

  test('no deviation is listed for a case that does not exist', () => {
    expect(
      Object.keys(GUNICORN_DEVIATIONS).filter((key) => !cases.some((item) => `${item.kind}:${item.file}` === key)),
    ).toEqual([]);
  });
});
