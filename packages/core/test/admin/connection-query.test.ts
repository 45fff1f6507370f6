// The connections that the admin page asks for: which, in what order, and which part of these.

import { describe, expect, test } from 'vitest';
import {
  listConnections,
  MAX_LIMIT,
  MAX_LOOKED_AT,
  MAX_OFFSET,
  parseConnectionQuery,
} from '../../src/admin/connection-query.ts';
import type { ConnectionPage, OpenConnection } from '../../src/observe/open-connections.ts';

const connection = (ageMs: number, more: Partial<OpenConnection> = {}): OpenConnection => ({
  id: `1.${ageMs}`,
  service: 'http',
  worker: 1,
  local: '127.0.0.1:80',
  remote: `127.0.0.1:${ageMs}`,
  state: 'open',
  ageMs,
  receivedBytes: ageMs * 2,
  sentBytes: -ageMs,
  ...more,
});

async function* pagesOf(...pages: (readonly OpenConnection[] | 'unanswered')[]): AsyncGenerator<ConnectionPage> {
  for (const [index, page] of pages.entries())
    yield await Promise.resolve({
      worker: index + 1,
      connections: page === 'unanswered' ? [] : page,
      answered: page !== 'unanswered',
    });
}

const DEFAULTS = { filter: {}, order: 'newest', offset: 0, limit: 100 } as const;

describe('a query', () => {
  test('asks for the newest hundred of all connections when it is empty, as fields of a form are', () => {
    expect(parseConnectionQuery('')).toEqual({ ok: true, value: DEFAULTS });
    expect(parseConnectionQuery('service=&remote=&state=')).toEqual({ ok: true, value: DEFAULTS });
  });

  test('names service, address, state, order and part', () => {
    const asked = parseConnectionQuery(
      'service=web&remote=10.0.0.0%2F8&state=lingering&order=sent&offset=200&limit=50',
    );
    expect(asked).toEqual({
      ok: true,
      value: {
        filter: { service: 'web', remote: '10.0.0.0/8' },
        state: 'lingering',
        order: 'sent',
        offset: 200,
        limit: 50,
      },
    });
  });

  test.each([
    [`limit=${MAX_LIMIT}`, true],
    [`limit=${MAX_LIMIT + 1}`, false],
    ['limit=0', false],
    [`offset=${MAX_OFFSET}`, true],
    [`offset=${MAX_OFFSET + 1}`, false],
    ['offset=-1', false],
    ['state=open', true],
    ['state=shut', false],
    ['order=toString', false],
    ['sort=age', false],
  ])('%s is allowed: %s', (query, isAllowed) => {
    expect(parseConnectionQuery(query).ok).toBe(isAllowed);
  });

  test('that is refused hears what was given and what is allowed', () => {
    expect(parseConnectionQuery('state=shut')).toEqual({
      ok: false,
      error:
        "state is 'shut', allowed are accepted, proxy-header, handshake, open, read-closed, write-closed, lingering",
    });
  });
});

describe('a list', () => {
  const thousands = Array.from({ length: 3_000 }, (_, index) => connection((index * 7919) % 3_000));
  const pages = () => pagesOf(thousands.slice(0, 1_400), thousands.slice(1_400));
  const agesOf = ({ connections }: { readonly connections: readonly OpenConnection[] }) =>
    connections.map(({ ageMs }) => ageMs);

  test.each([
    ['newest', [0, 1, 2]],
    ['oldest', [2_999, 2_998, 2_997]],
    ['received', [2_999, 2_998, 2_997]],
    ['sent', [0, 1, 2]],
  ] as const)('begins with the %s of all workers', async (order, ages) => {
    const list = await listConnections(pages(), { ...DEFAULTS, order, limit: 3 });
    expect([agesOf(list), list.count, list.isWhole]).toEqual([ages, 3_000, true]);
  });

  test('goes on page by page to the last one', async () => {
    const part = async (offset: number) => agesOf(await listConnections(pages(), { ...DEFAULTS, offset }));
    expect((await part(2_900)).at(-1)).toBe(2_999);
    expect((await part(100)).at(0)).toBe(100);
    expect(await part(3_000)).toEqual([]);
  });

  test('counts those of the state that is meant, and names the workers that did not answer', async () => {
    const source = pagesOf([connection(1), connection(2, { state: 'lingering' })], 'unanswered');
    const list = await listConnections(source, { ...DEFAULTS, state: 'lingering' });
    expect([list.count, agesOf(list), list.unanswered]).toEqual([1, [2], [2]]);
  });

  test.each([
    [MAX_LOOKED_AT - 1, true],
    [MAX_LOOKED_AT, false],
  ])('of %i is whole: %s, and ends the walk there', async (length, isWhole) => {
    const many = Array.from({ length }, (_, index) => connection(index));
    const list = await listConnections(pagesOf(many, isWhole ? [] : [connection(1)]), DEFAULTS);
    expect([list.isWhole, list.count]).toEqual([isWhole, length]);
  });
});
