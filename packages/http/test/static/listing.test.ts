// The listing of a directory: the page itself, and what of a directory gets into it.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderListing, type Listing } from '../../src/static/listing.ts';
import {
  pageOf,
  parseListingView,
  queryOfView,
  sortByName,
  sortBySize,
  type ListedEntry,
} from '../../src/static/listing-order.ts';
import { serveFiles } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

const entry = (name: string, kind: ListedEntry['kind'] = 'file', byteLength = 1, modifiedMs = 0): ListedEntry => ({
  name,
  kind,
  byteLength,
  modifiedMs,
});
const view = parseListingView('');
const render = (entries: readonly ListedEntry[], more: Partial<Listing> = {}): string =>
  renderListing({
    segments: [],
    entries,
    view,
    pages: 1,
    directories: 0,
    files: entries.length,
    omitted: 0,
    unnameable: 0,
    ...more,
  });

interface Link {
  readonly href: string;
  readonly text: string;
}
const unescapeHtml = (html: string): string =>
  html.replace(
    /&(lt|gt|amp|quot|#39);/g,
    (whole) => ({ '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' })[whole] ?? "'",
  );
/** The links of the rows, as a browser would read them. */
const links = (page: string): Link[] =>
  Array.from(
    page.matchAll(/<tr[^>]*><th scope="row">.*?<a href="([^"]*)"[^>]*>(.*?)<\/a>/g),
    ([, href = '', text = '']) => ({ href: unescapeHtml(href), text: unescapeHtml(text.replace(/<[^>]*>/g, '')) }),
  );
const names = (page: string): string[] => links(page).map(({ text }) => text);

describe('the order', () => {
  const order = (query: string, entries: readonly ListedEntry[]): string[] => {
    const asked = parseListingView(query);
    return (asked.order === 'name' ? sortByName(entries, asked.descending) : sortBySize(entries, asked)).map(
      ({ name }) => name,
    );
  };

  test('is directories first, then names with their numbers in order, whatever else is asked for', () => {
    const entries = [entry('b10'), entry('b9'), entry('z', 'directory'), entry('A'), entry('y', 'directory')];
    expect(order('', entries)).toEqual(['y', 'z', 'A', 'b9', 'b10']);
    expect(order('?order=desc', entries)).toEqual(['z', 'y', 'b10', 'b9', 'A']);
    expect(order('?sort=nonsense&order=up', entries)).toEqual(['y', 'z', 'A', 'b9', 'b10']);
  });

  test('may be by size or time, equals by name; what a directory weighs says nothing', () => {
    const entries = [
      entry('a', 'file', 3, 1),
      entry('b', 'file', 1, 3),
      entry('c', 'file', 2, 2),
      entry('d', 'file', 2, 2),
      entry('y', 'directory', 9, 1),
      entry('z', 'directory', 8, 2),
    ];
    expect(order('?sort=size', entries)).toEqual(['y', 'z', 'b', 'c', 'd', 'a']);
    expect(order('?sort=size&order=desc', entries)).toEqual(['y', 'z', 'a', 'c', 'd', 'b']);
    expect(order('?sort=time&order=desc', entries)).toEqual(['z', 'y', 'b', 'c', 'd', 'a']);
  });

  test('survives the way through a query and back', () => {
    for (const query of ['?', '?page=2', '?sort=size', '?order=desc', '?sort=time&order=desc&page=10'])
      expect(queryOfView(parseListingView(query))).toBe(query);
  });

  test('is cut into pages of a thousand; one beyond the last is the last', () => {
    const numbers = Array.from({ length: 2_001 }, (_, index) => index);
    const cut = (query: string, count = 2_001): (number | undefined)[] => {
      const page = pageOf(numbers.slice(0, count), parseListingView(query));
      return [page[0], page.at(-1), page.length];
    };
    expect(cut('')).toEqual([0, 999, 1000]);
    expect(cut('', 1_000)).toEqual([0, 999, 1000]);
    expect(cut('?page=2', 1_001)).toEqual([1000, 1000, 1]);
    expect(cut('?page=3')).toEqual([2000, 2000, 1]);
    expect(cut('?page=99')).toEqual([2000, 2000, 1]);
    for (const page of ['0', '-1', '1e9', 'x', '99999999', '']) expect(cut(`?page=${page}`)).toEqual([0, 999, 1000]);
    expect(pageOf([], parseListingView('?page=5'))).toEqual([]);
  });
});

describe('the page', () => {
  test('escapes whatever a name says, in text, in links and in the title', () => {
    const page = render([entry('<script>alert(1)</script>'), entry('"\'&'), entry('javascript:alert(1)')], {
      segments: ['</title><script>', '"><b>'],
    });
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<b>');
    expect(page).toContain('<title>/&lt;/title&gt;&lt;script&gt;/&quot;&gt;&lt;b&gt;/</title>');
    expect(page).toContain('href="./%22&#39;%26"');
    expect(page).toContain('href="./javascript%3Aalert(1)"');
  });

  test('shows characters that would hide or turn text around, but not in links', () => {
    const page = render(
      [entry('photo\u202egpj.exe'), entry('a\u200bb'), entry('a\u0085b'), entry('new\nline'), entry('\x1b[31m\x7f')],
      { segments: ['up\u2066'] },
    );
    expect(page.slice(page.indexOf('<body>'))).not.toMatch(/[\0-\x09\x0b-\x1f\x7f\u0080-\u009f\u200b\u202e\u2066]/);
    expect(names(page)).toEqual([
      '../',
      'photoU+202Egpj.exe',
      'aU+200Bb',
      'aU+0085b',
      'newU+000Aline',
      'U+001B[31mU+007F',
    ]);
    expect(page).toContain('href="./new%0Aline"');
    expect(page).toContain('href="./photo%E2%80%AEgpj.exe"');
    expect(page).toContain('<title>/up\ufffd/</title>');
  });

  test('leaves joiners in names that need them', () => {
    expect(names(render([entry('👩\u200d💻.txt')]))).toEqual(['👩\u200d💻.txt']);
  });

  test('has the way up as links, of which the last is this page', () => {
    const page = render([], { segments: ['a', 'b c'] });
    const [trail = ''] = /<nav aria-label="Breadcrumb">.*?<\/nav>/.exec(page) ?? [];
    expect(
      Array.from(trail.matchAll(/<a href="([^"]*)"( aria-current="page")?>/g), ([, href, current]) => [
        href,
        current !== undefined,
      ]),
    ).toEqual([
      ['../../', false],
      ['../', false],
      ['./', true],
    ]);
    expect(links(page)).toEqual([{ href: '../', text: '../' }]);
    expect(names(render([]))).toEqual([]);
  });

  test('says what it is sorted by, and turns it around on request', () => {
    const page = render([], { view: parseListingView('?sort=size') });
    expect(page).toContain('<th scope="col" aria-sort="ascending"><a href="?sort=size&amp;order=desc">');
    expect(page).toContain('<th scope="col"><a href="?">Name');
    expect(page.match(/aria-sort/g)).toHaveLength(1);
  });

  test('counts what there is', () => {
    expect(
      render([entry('a', 'directory'), entry('b', 'file', 1000), entry('c', 'file', 1048)], {
        directories: 1,
        files: 2,
      }),
    ).toContain('1 directory, 2 files, 2.0 KiB');
    expect(render([], { files: 0 })).toContain('Nothing here.');
    expect(render([], { files: 9_999, directories: 1, omitted: 2_000 })).toContain(
      '1 directory, 9,999 files, and 2,000 more that are not listed<',
    );
  });

  test('counts what no link can lead to', () => {
    expect(render([entry('a')], { unnameable: 1 })).toContain(
      '>0 directories, 1 file, 1 B; 1 more can’t be listed: its name is not UTF-8<',
    );
    expect(render([entry('a')], { unnameable: 2_000 })).toContain(
      '; 2,000 more can’t be listed: their names are not UTF-8<',
    );
    expect(render([], { files: 10_000, omitted: 1, unnameable: 2 })).toContain(
      '10,000 files, and 1 more that are not listed; 2 more can’t be listed: their names are not UTF-8<',
    );
    expect(render([], { unnameable: 2 })).toContain('>2 more can’t be listed: their names are not UTF-8.<');
  });

  test('leads to the next page and the one before, in the same order', () => {
    const pager = (query: string): string =>
      /<nav aria-label="Pages">.*?<\/nav>/.exec(render([], { view: parseListingView(query), pages: 3 }))?.[0] ?? '';
    expect(pager('?sort=time')).toContain('<a rel="next" href="?sort=time&amp;page=2">');
    expect(pager('?sort=time')).not.toContain('rel="prev"');
    expect(pager('?page=2')).toContain('<a rel="prev" href="?">');
    expect(pager('?page=99')).toContain('Page 3 of 3');
    expect(pager('?page=3')).not.toContain('rel="next"');
    expect(render([])).not.toContain('aria-label="Pages"');
  });

  test('needs no script, and loads nothing', () => {
    expect(render([entry('a')])).not.toMatch(/<script|\bsrc=|\bon[a-z]+=|url\(|https?:/i);
  });
});

describe('a directory on the disk', () => {
  let root = '';
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-listing-'));
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));
  const list = async (target = '/'): Promise<string> =>
    Buffer.from((await ask(serveFiles(root), target)).body, 'latin1').toString();

  test('every name has a link that works, and those that no link can hold are counted', async () => {
    const odd = [
      '"quo\'te".txt',
      '<script>alert(1)<',
      'a&b;c.txt',
      '100%.txt',
      '%41.txt',
      ' space .txt',
      'hash#q?.txt',
      '+plus+.txt',
      'é.txt',
      'e\u0301.txt',
      'javascript:x',
      'http:\u2215\u2215x',
      'rtl\u202etxt.exe',
      '\u{1f600}.txt',
      'a'.repeat(255),
      'x..',
      '~',
      'c1\u0085.txt',
      'new\nline.txt',
      'tab\tx',
      'del\x7f',
      '\x01',
      'back\\slash',
      'C:\\x',
      'bad\ufffd.txt',
    ];
    // The first looks like a name above where it is read as text; the last begins with a dot, is not for the public, and
    // so not counted.
    const never = [
      Buffer.from([0x62, 0x61, 0x64, 0xff, 0x2e, 0x74, 0x78, 0x74]),
      Buffer.from([0xc0, 0xaf]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0x2e, 0xff]),
    ];
    for (const name of odd) fs.writeFileSync(path.join(root, name), `content of ${name}`);
    for (const name of never) fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), 'x');
    const page = await list();
    const listed = links(page);
    expect(listed).toHaveLength(odd.length);
    expect(page).toMatch(/files, [0-9.]+ (Ki)?B; 3 more can’t be listed: their names are not UTF-8</);
    const handler = serveFiles(root);
    const contents = await Promise.all(
      listed.map(async ({ href }) =>
        Buffer.from((await ask(handler, new URL(href, 'http://a/').pathname)).body, 'latin1').toString('utf8'),
      ),
    );
    expect(contents.toSorted()).toEqual(odd.map((name) => `content of ${name}`).toSorted());
  });

  test('with a name that is no directory of a URL is listed itself, and so is what lies in it', async () => {
    fs.mkdirSync(path.join(root, 'a\\b\n'));
    fs.writeFileSync(path.join(root, 'a\\b\n', 'c\x01.txt'), 'content');
    const [above] = links(await list());
    expect(above).toEqual({ href: './a%5Cb%0A/', text: 'a\\bU+000A/' });
    const inside = await list('/a%5Cb%0A/');
    expect(inside).toContain('<title>/a\\b\ufffd/</title>');
    expect(links(inside)).toEqual([
      { href: '../', text: '../' },
      { href: './c%01.txt', text: 'cU+0001.txt' },
    ]);
    expect(await list('/a%5Cb%0A/c%01.txt')).toBe('content');
    const { status, headers } = await ask(serveFiles(root), '/a%5Cb%0A');
    expect([status, headers.get('location')]).toEqual([308, './a%5Cb%0A/']);
  });

  test('of five thousand files comes in pages that are sorted as a whole', async () => {
    fs.mkdirSync(path.join(root, 'zz'));
    for (let number = 0; number < 5_000; number += 1) fs.writeFileSync(path.join(root, `file${number}.txt`), '');
    fs.writeFileSync(path.join(root, 'file77.txt'), 'larger');
    const first = names(await list());
    expect([first.length, first[0], first[1], first.at(-1)]).toEqual([1000, 'zz/', 'file0.txt', 'file998.txt']);
    const last = await list('/?page=6');
    expect(names(last)).toEqual(['file4999.txt']);
    expect(last).toContain('1 directory, 5,000 files');
    expect(names(await list('/?sort=size&order=desc'))[1]).toBe('file77.txt');
  });

  test('of more than ten thousand says how many are not listed', async () => {
    for (let number = 0; number < 10_003; number += 1) fs.writeFileSync(path.join(root, String(number)), '');
    expect(await list('/?page=10')).toContain('10,000 files, and 3 more that are not listed');
  });
});
