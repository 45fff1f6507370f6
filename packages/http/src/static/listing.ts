// The page that lists a directory: plain HTML, no script, nothing loaded from elsewhere. Names come from
// every user who may write files, so each is escaped for the place it stands in, and can't turn the text around it.

import { PAGE_ENTRIES, queryOfView, type ListedEntry, type ListingView, type NamedEntry } from './listing-order.ts';
import { DRAWINGS, ICONS, LISTING_STYLE } from './listing-style.ts';

export interface Listing {
  /** The names from the root to this directory. */
  readonly segments: readonly string[];
  /** Those of the page, in their order. */
  readonly entries: readonly ListedEntry[];
  readonly view: ListingView;
  readonly pages: number;
  /** On all pages. */
  readonly directories: number;
  readonly files: number;
  /** Entries that exist beyond those on all pages. */
  readonly omitted: number;
  /** Entries that no link can lead to. */
  readonly unnameable: number;
}

/** Nothing may be loaded or run, whatever a file name manages to say. */
export const LISTING_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

// What shows as nothing, breaks lines, or changes the direction of what follows, so that `gpj.exe` reads `exe.jpg`.
// Joiners are left alone: Persian and emoji need them.
const ODD = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const codePointOf = (character: string): string =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
/** A name as the content of an element. Its direction is isolated from the text around it. */
const renderName = (name: string): string =>
  `<bdi>${escapeHtml(name).replace(ODD, (character) => `<span class="odd">${codePointOf(character)}</span>`)}</bdi>`;
/** A name where there is only text. */
const plainName = (name: string): string => escapeHtml(name.replace(ODD, '\ufffd'));

/** A relative reference to one name: `./` keeps a colon from making it a scheme. */
const hrefOf = ({ name, kind }: NamedEntry): string =>
  escapeHtml(`./${encodeURIComponent(name)}${kind === 'directory' ? '/' : ''}`);

/** The whole page as HTML. */
export function renderListing(listing: Listing): string {
  const path = plainName(`/${listing.segments.map((segment) => `${segment}/`).join('')}`);
  const parent =
    listing.segments.length === 0
      ? ''
      : `<tr class="directory"><th scope="row">${ICONS.up}<a href="../" aria-label="Parent directory">../</a></th><td></td><td></td></tr>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${path}</title>
<style>${LISTING_STYLE}
</style>
</head>
<body>
${DRAWINGS}
<main>
<h1>Index of ${path}</h1>
<nav aria-label="Breadcrumb"><ol>${renderTrail(listing.segments)}</ol></nav>
<table>
<thead><tr>${renderHeading(listing.view, 'name', 'Name')}${renderHeading(listing.view, 'size', 'Size')}${renderHeading(listing.view, 'time', 'Modified (UTC)')}</tr></thead>
<tbody>
${parent}${listing.entries.map(renderRow).join('')}</tbody>
</table>
<footer><span>${renderCount(listing)}</span>${renderPages(listing)}</footer>
</main>
</body>
</html>
`;
}

function renderRow(entry: ListedEntry): string {
  const isDirectory = entry.kind === 'directory';
  const link = `${ICONS[entry.kind]}<a href="${hrefOf(entry)}">${renderName(entry.name)}${isDirectory ? '/' : ''}</a>`;
  return `<tr${isDirectory ? ' class="directory"' : ''}><th scope="row">${link}</th><td>${isDirectory ? '' : renderSize(entry.byteLength)}</td><td>${renderTime(entry.modifiedMs)}</td></tr>\n`;
}

/** Empty for a time that no calendar of four-digit years has: file systems take any number. */
function renderTime(modifiedMs: number): string {
  const modified = new Date(modifiedMs);
  if (!(modified.getUTCFullYear() >= 1 && modified.getUTCFullYear() <= 9_999)) return '';
  const [date = '', time = ''] = modified.toISOString().split('T');
  return `<time datetime="${date}T${time}">${date}<span> ${time.slice(0, 5)}</span></time>`;
}

/** A heading sorts by its column; that of the current order turns it around. */
function renderHeading({ order, descending }: ListingView, column: ListingView['order'], label: string): string {
  const isCurrent = order === column;
  const sort = isCurrent ? ` aria-sort="${descending ? 'descending' : 'ascending'}"` : '';
  const arrow = isCurrent ? `<span aria-hidden="true">${descending ? '↓' : '↑'}</span>` : '';
  return `<th scope="col"${sort}><a href="${escapeHtml(queryOfView({ order: column, descending: isCurrent && !descending, page: 1 }))}">${label}${arrow}</a></th>`;
}

/** Each name on the way links to its directory, relative to this one. */
function renderTrail(segments: readonly string[]): string {
  const crumb = (content: string, steps: number): string =>
    `<li><a href="${steps === 0 ? './' : '../'.repeat(steps)}"${steps === 0 ? ' aria-current="page"' : ''}>${content}</a></li>`;
  return (
    crumb('/', segments.length) +
    segments.map((segment, index) => crumb(renderName(segment), segments.length - 1 - index)).join('')
  );
}

function renderCount({ entries, pages, directories, files, omitted, unnameable }: Listing): string {
  const hidden =
    unnameable === 0
      ? ''
      : plural(unnameable, 'more can’t be listed: its name is', 'more can’t be listed: their names are') + ' not UTF-8';
  if (directories + files + omitted === 0) return hidden === '' ? 'Nothing here.' : `${hidden}.`;
  const counts = `${plural(directories, 'directory', 'directories')}, ${plural(files, 'file', 'files')}`;
  const totalBytes = entries.reduce((sum, { kind, byteLength }) => sum + (kind === 'file' ? byteLength : 0), 0);
  const size = files === 0 || pages > 1 || omitted > 0 ? '' : `, ${formatSize(totalBytes).join(' ')}`;
  return `${counts}${size}${omitted > 0 ? `, and ${count(omitted)} more that are not listed` : ''}${hidden === '' ? '' : `; ${hidden}`}`;
}

const count = (number: number): string => number.toLocaleString('en');
const plural = (number: number, one: string, many: string): string => `${count(number)} ${number === 1 ? one : many}`;

function renderPages({ view, pages }: Listing): string {
  if (pages === 1) return '';
  const page = Math.min(view.page, pages);
  const link = (to: number, rel: string, label: string): string =>
    to < 1 || to > pages ? '' : `<a rel="${rel}" href="${escapeHtml(queryOfView({ ...view, page: to }))}">${label}</a>`;
  return `<nav aria-label="Pages">${link(page - 1, 'prev', 'Previous')}<span>Page ${page} of ${pages}, ${PAGE_ENTRIES.toLocaleString('en')} each</span>${link(page + 1, 'next', 'Next')}</nav>`;
}

const renderSize = (byteLength: number): string => {
  const [number, unit] = formatSize(byteLength);
  return `${number}<i>${unit}</i>`;
};

function formatSize(byteLength: number): [number: string, unit: string] {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = byteLength;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return [unit === 0 || value >= 100 ? String(Math.round(value)) : value.toFixed(1), units[unit] ?? ''];
}
