// The page that lists a directory: plain HTML, no script, nothing loaded from elsewhere. Names come from whoever may write
// files, so every one is escaped for the place it stands in.

export interface ListedEntry {
  readonly name: string;
  readonly kind: 'directory' | 'file';
  readonly byteLength: number;
  readonly modifiedMs: number;
}

export type ListingOrder = 'name' | 'size' | 'time';

export interface Listing {
  /** The names from the root to this directory. */
  readonly segments: readonly string[];
  readonly entries: readonly ListedEntry[];
  /** Entries that exist beyond the ones given. */
  readonly omitted: number;
  readonly order: ListingOrder;
  readonly descending: boolean;
}

/** Nothing may be loaded or run, whatever a file name manages to say. */
export const LISTING_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
/** A relative reference to one name: `./` keeps a colon from making it a scheme. */
const hrefOf = (name: string, kind: ListedEntry['kind']): string => escapeHtml(`./${encodeURIComponent(name)}${kind === 'directory' ? '/' : ''}`);

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #667; --line: #e3e5e8; --hover: #f3f6fa; --accent: #0b63ce; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #98a0aa; --line: #2c3138; --hover: #1f252c; --accent: #6cb0ff; --paper: #14181c } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: 1.35rem; font-weight: 600; letter-spacing: -.01em; overflow-wrap: anywhere; margin: 0 .6rem 1.5rem }
h1 span { color: var(--soft); font-weight: 400; padding: 0 .15em }
a { color: var(--accent); text-decoration: none; border-radius: 3px }
a:hover { text-decoration: underline }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .5rem .6rem; border-bottom: 1px solid var(--line) }
th { font-size: .8rem; font-weight: 600 } th a { color: var(--soft) }
td:first-child { overflow-wrap: anywhere; padding-left: 2.35rem; position: relative }
td:not(:first-child), th:not(:first-child) { text-align: right; white-space: nowrap; width: 1% }
td:not(:first-child), footer { color: var(--soft); font-size: .9rem }
tbody tr:hover { background: var(--hover) }
svg { position: absolute; left: .6rem; top: .72rem; width: 1.1rem; height: 1.1rem; fill: none; stroke: var(--soft); stroke-linejoin: round }
.directory a { font-weight: 600 } .directory svg { fill: var(--accent); fill-opacity: .15; stroke: var(--accent) }
footer { margin: 1.25rem .6rem 0 }
@media (max-width: 34rem) { th:last-child, td:last-child { display: none } }`;

/** Drawn once, and named by every row: nothing may be loaded, not even from this page. */
const DRAWINGS = '<svg hidden><symbol id="d" viewBox="0 0 16 16"><path d="M1.5 13V3.5h4.2l1.6 1.8h7.2V13z"/></symbol><symbol id="f" viewBox="0 0 16 16"><path d="M3.5 1.5h5.7l3.3 3.3v9.7h-9zM9 1.7v3.4h3.3"/></symbol></svg>';
const ICONS = { directory: '<svg aria-hidden="true"><use href="#d"/></svg>', file: '<svg aria-hidden="true"><use href="#f"/></svg>' } as const;

/** Reads `?sort=size&order=desc`; anything else is by name, ascending. */
export function parseListingOrder(query: string): { readonly order: ListingOrder; readonly descending: boolean } {
  const parameters = new URLSearchParams(query);
  const sort = parameters.get('sort');
  return { order: sort === 'size' || sort === 'time' ? sort : 'name', descending: parameters.get('order') === 'desc' };
}

/** The whole page as HTML. */
export function renderListing(listing: Listing): string {
  const title = `/${listing.segments.map((segment) => `${segment}/`).join('')}`;
  const rows = sorted(listing).map(renderRow).join('');
  const parent = listing.segments.length === 0 ? '' : `<tr class="directory"><td>${ICONS.directory}<a href="../">../</a></td><td></td><td></td></tr>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}
</style>
</head>
<body>
${DRAWINGS}
<main>
<h1>${renderTrail(listing.segments)}</h1>
<table>
<thead><tr>${renderHeading(listing, 'name', 'Name')}${renderHeading(listing, 'size', 'Size')}${renderHeading(listing, 'time', 'Modified (UTC)')}</tr></thead>
<tbody>
${parent}${rows}</tbody>
</table>
<footer>${renderCount(listing)}</footer>
</main>
</body>
</html>
`;
}

function sorted({ entries, order, descending }: Listing): ListedEntry[] {
  const byName = (a: ListedEntry, b: ListedEntry): number => collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
  const direction = descending ? -1 : 1;
  return [...entries].sort((a, b) => {
    // Directories lead in every order: that is where one looks for the way on.
    if (a.kind !== b.kind) return a.kind === 'directory' ? -1 : 1;
    if (order === 'name') return direction * byName(a, b);
    const difference = order === 'size' ? a.byteLength - b.byteLength : a.modifiedMs - b.modifiedMs;
    return direction * difference || byName(a, b);
  });
}

function renderRow({ name, kind, byteLength, modifiedMs }: ListedEntry): string {
  const isDirectory = kind === 'directory';
  const link = `${ICONS[kind]}<a href="${hrefOf(name, kind)}">${escapeHtml(name)}${isDirectory ? '/' : ''}</a>`;
  const modified = new Date(modifiedMs).toISOString().slice(0, 16).replace('T', ' ');
  return `<tr${isDirectory ? ' class="directory"' : ''}><td>${link}</td><td>${isDirectory ? '' : formatSize(byteLength)}</td><td><time datetime="${new Date(modifiedMs).toISOString()}">${modified}</time></td></tr>\n`;
}

function renderHeading({ order, descending }: Listing, column: ListingOrder, label: string): string {
  const isCurrent = order === column;
  const arrow = isCurrent ? (descending ? ' ↓' : ' ↑') : '';
  const sort = isCurrent ? ` aria-sort="${descending ? 'descending' : 'ascending'}"` : '';
  return `<th scope="col"${sort}><a href="?sort=${column}${isCurrent && !descending ? '&amp;order=desc' : ''}">${label}${arrow}</a></th>`;
}

/** Each name on the way links to its directory, relative to this one. */
function renderTrail(segments: readonly string[]): string {
  const up = (steps: number): string => (steps === 0 ? './' : '../'.repeat(steps));
  const links = segments.map((segment, index) => `<a href="${up(segments.length - 1 - index)}">${escapeHtml(segment)}</a>`);
  return [`<a href="${up(segments.length)}">/</a>`, ...links].join('<span>/</span>').replace('<span>/</span>', ' ');
}

function renderCount({ entries, omitted }: Listing): string {
  const directories = entries.filter(({ kind }) => kind === 'directory').length;
  const files = entries.length - directories;
  if (entries.length === 0 && omitted === 0) return 'Nothing here.';
  const totalBytes = entries.reduce((sum, { kind, byteLength }) => sum + (kind === 'file' ? byteLength : 0), 0);
  const size = files === 0 ? '' : `, ${formatSize(totalBytes)}`;
  const count = `${directories} ${directories === 1 ? 'directory' : 'directories'}, ${files} ${files === 1 ? 'file' : 'files'}`;
  return omitted === 0 ? count + size : `${count}, and ${omitted} more that are not listed`;
}

function formatSize(byteLength: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = byteLength;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
