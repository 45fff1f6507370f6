// What Chromium makes of the listing page: what is seen, on screens of two sizes and two colours, what the keyboard
// reaches, and what a screen reader is told.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttpServer, serveFiles } from '../../src/index.ts';
import { Browser, findChromium, type Page } from './browser.ts';

const chromium = findChromium();
if (chromium === undefined && process.env.CI !== undefined) throw new Error('chromium is needed in CI');
if (chromium === undefined)
  console.warn('chromium is not installed: the tests of the listing page in a browser are skipped');

const ODD = [
  '"quo\'te".txt',
  '<script>document.title = 1<',
  'a&amp;b.txt',
  '100%.txt',
  '%41.txt',
  ' two  spaces.txt',
  'hash#q?.txt',
  '+plus+.txt',
  'new\nline.txt',
  'back\\slash',
  'é.txt',
  'javascript:x',
  'photo\u202egpj.exe',
  'a'.repeat(200),
];

describe.skipIf(chromium === undefined)('in Chromium, the listing page', () => {
  let root = '';
  let origin = '';
  let browser: Browser;
  let page: Page;
  const server = (): ReturnType<typeof createHttpServer> =>
    createHttpServer(serveFiles(root), { listen: 'tcp://127.0.0.1:0' });
  let running: ReturnType<typeof server>;

  beforeAll(async () => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-browser-'));
    for (const directory of ['odd', 'photos', 'photos/2024 & before']) fs.mkdirSync(path.join(root, directory));
    for (const name of ODD) fs.writeFileSync(path.join(root, 'odd', name), `content of ${name}`);
    for (const [name, size] of [
      ['b10.jpg', 1_000],
      ['b9.jpg', 3_000_000],
      ['notes.txt', 12],
    ] as const)
      fs.writeFileSync(path.join(root, 'photos', name), Buffer.alloc(size, 'x'));
    running = server();
    const [bound] = await running.listen();
    origin = (bound?.url ?? '').replace('tcp:', 'http:');
    ({ browser, page } = await Browser.start(chromium ?? ''));
  });
  afterAll(async () => {
    await browser.close();
    await running.close({ graceMs: 0 });
    fs.rmSync(root, { recursive: true });
  });
  const look = (width: number, scheme: 'light' | 'dark'): Promise<unknown> =>
    Promise.all([
      page.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: false }),
      page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] }),
    ]);
  beforeEach(() => look(1000, 'light'));

  test('shows directories first, names with their numbers in order, and what they weigh', async () => {
    await page.open(`${origin}/photos/`);
    expect(await page.evaluate('document.title')).toBe('/photos/');
    const rows = await page.evaluate(
      "Array.from(document.querySelectorAll('tbody tr'), (row) => Array.from(row.cells, (cell) => cell.innerText.trim()).slice(0, 2))",
    );
    expect(rows).toEqual([
      ['../', ''],
      ['2024 & before/', ''],
      ['b9.jpg', '2.9MiB'],
      ['b10.jpg', '1000B'],
      ['notes.txt', '12B'],
    ]);
    expect(await page.evaluate("document.querySelector('footer').innerText")).toBe('1 directory, 3 files, 2.9 MiB');
    const edges = await page.evaluate(
      "Array.from(document.querySelectorAll('tbody td:nth-child(2) i'), (unit) => Math.round(unit.getBoundingClientRect().left))",
    );
    expect(new Set(edges as number[]).size).toBe(1);
  });

  test('links every odd name to its file, runs nothing, and shows what would turn text around', async () => {
    await page.open(`${origin}/odd/`);
    expect(await page.evaluate('document.title')).toBe('/odd/');
    const hrefs = (await page.evaluate(
      "Array.from(document.querySelectorAll('tbody tr:not(.directory) a'), (a) => a.href)",
    )) as string[];
    const contents = await Promise.all(hrefs.map(async (href) => (await fetch(href)).text()));
    expect(contents.toSorted()).toEqual(ODD.map((name) => `content of ${name}`).toSorted());
    const texts = (await page.evaluate(
      "Array.from(document.querySelectorAll('tbody tr:not(.directory) a'), (a) => a.innerText)",
    )) as string[];
    expect(texts.toSorted()).toEqual(
      ODD.map((name) => name.replace('\u202e', 'U+202E').replace('\n', 'U+000A')).toSorted(),
    );
  });

  test.each(['light', 'dark'] as const)('has enough contrast in %s colours (WCAG 2.2, 1.4.3)', async (scheme) => {
    await look(1000, scheme);
    await page.open(`${origin}/odd/`);
    const colours = (await page.evaluate(
      "['body', 'tbody a', 'thead a', 'td time', 'footer', '.odd'].map((which) => getComputedStyle(document.querySelector(which)).color).concat(getComputedStyle(document.body).backgroundColor)",
    )) as string[];
    const [paper = '', ...inks] = colours.toReversed();
    expect(scheme === 'dark' ? luminanceOf(paper) : 1 - luminanceOf(paper)).toBeLessThan(0.1);
    for (const ink of inks) expect(contrastOf(ink, paper)).toBeGreaterThanOrEqual(4.5);
  });

  test.each([320, 390, 600, 1000])('fits a screen of %i pixels, whatever the names', async (width) => {
    await look(width, 'light');
    await page.open(`${origin}/odd/`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    // One colour compresses to almost nothing.
    expect(Buffer.from(await picture(), 'base64').length).toBeGreaterThan(8_000);
  });

  test('is walked through by keyboard, in the order in which it is read', async () => {
    await page.open(`${origin}/photos/`);
    const focused: unknown[] = [];
    for (let step = 0; step < 7; step += 1) {
      await press('Tab');
      focused.push(await page.evaluate('document.activeElement.innerText'));
    }
    expect(focused).toEqual([
      '/',
      'photos',
      expect.stringContaining('Name'),
      'Size',
      'Modified (UTC)',
      '../',
      '2024 & before/',
    ]);
    const loaded = page.loaded();
    await press('Enter');
    await loaded;
    expect(await page.evaluate('location.pathname')).toBe('/photos/2024%20%26%20before/');
  });

  test.each(['light', 'dark'] as const)(
    'shows in %s colours where the keyboard is, on every link, with enough contrast (WCAG 2.2, 1.4.11 and 2.4.7)',
    async (scheme) => {
      await look(1000, scheme);
      await page.open(`${origin}/photos/`);
      const links = Number(await page.evaluate("document.querySelectorAll('a').length"));
      const untouched = await picture();
      const pictures = new Set([untouched]);
      for (let step = 0; step < links; step += 1) {
        await press('Tab');
        const [width, ring, paper] = (await page.evaluate(
          '(({ outlineWidth, outlineColor }) => [outlineWidth, outlineColor, getComputedStyle(document.body).backgroundColor])(getComputedStyle(document.activeElement))',
        )) as [string, string, string];
        expect(Number.parseFloat(width)).toBeGreaterThanOrEqual(2);
        expect(contrastOf(ring, paper)).toBeGreaterThanOrEqual(3);
        pictures.add(await picture());
      }
      // Each link looks different with the keyboard on it, and without it the page looks as it did.
      expect([links, pictures.size]).toEqual([10, links + 1]);
      await page.evaluate('document.activeElement.blur()');
      expect((await picture()) === untouched).toBe(true);
    },
  );

  test('sorts when a heading is followed, and says so', async () => {
    await page.open(`${origin}/photos/`);
    for (const [turn, expected] of [
      ['ascending', 'notes.txt'],
      ['descending', 'b9.jpg'],
    ] as const) {
      const loaded = page.loaded();
      await page.evaluate("document.querySelectorAll('thead a')[1].click()");
      await loaded;
      expect(
        await page.evaluate(
          "[document.querySelector('th[aria-sort]').ariaSort, document.querySelector('tbody tr:not(.directory) a').innerText]",
        ),
      ).toEqual([turn, expected]);
    }
  });

  test('tells a screen reader where it is, what is a heading, and what belongs together', async () => {
    await page.open(`${origin}/photos/`);
    await page.send('Accessibility.enable');
    const { nodes } = await page.send('Accessibility.getFullAXTree');
    const seen = (nodes as { role?: { value: string }; name?: { value: string } }[]).map(({ role, name }) =>
      `${role?.value ?? ''} ${name?.value ?? ''}`.trim(),
    );
    for (const expected of [
      'heading Index of /photos/',
      'navigation Breadcrumb',
      'main',
      'columnheader Name',
      'columnheader Size',
      'columnheader Modified (UTC)',
      'link Parent directory',
      'rowheader b9.jpg',
      'link b9.jpg',
    ])
      expect(seen).toContain(expected);
  });

  /** What is on the screen, as the text of a PNG: two that are equal look the same. */
  async function picture(): Promise<string> {
    const { data } = await page.send('Page.captureScreenshot', { format: 'png' });
    return String(data);
  }

  async function press(key: 'Tab' | 'Enter'): Promise<void> {
    const [code, text] = key === 'Tab' ? [9, ''] : [13, '\r'];
    await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, windowsVirtualKeyCode: code, text });
    await page.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, windowsVirtualKeyCode: code });
  }
});

/** The contrast ratio of two colours by WCAG, from 1 to 21. */
function contrastOf(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance of `rgb(…)` by WCAG. */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = Array.from(colour.matchAll(/[0-9.]+/g), ([part]) => Number(part) / 255).map(
    (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4),
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
