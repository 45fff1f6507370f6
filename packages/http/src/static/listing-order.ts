// Which part of a directory a listing shows, and in which order. A query in, decisions out.

export interface NamedEntry {
  readonly name: string;
  readonly kind: 'directory' | 'file';
}

export interface ListedEntry extends NamedEntry {
  readonly byteLength: number;
  readonly modifiedMs: number;
}

export interface ListingView {
  readonly order: 'name' | 'size' | 'time';
  readonly descending: boolean;
  /** From 1. */
  readonly page: number;
}

// A page that a browser shows at once. What a page does not show is not looked at on the disk, unless the order needs
// it.
export const PAGE_ENTRIES = 1_000;

/** Reads `?sort=size&order=desc&page=2`; anything else is the first page by name, ascending. */
export function parseListingView(query: string): ListingView {
  const parameters = new URLSearchParams(query);
  const sort = parameters.get('sort');
  const page = /^[1-9][0-9]{0,5}$/.exec(parameters.get('page') ?? '')?.[0];
  return {
    order: sort === 'size' || sort === 'time' ? sort : 'name',
    descending: parameters.get('order') === 'desc',
    page: Number(page ?? 1),
  };
}

/** The query that `parseListingView` reads as this view; the shortest one. */
export function queryOfView({ order, descending, page }: ListingView): string {
  const parameters = [
    ...(order === 'name' ? [] : [`sort=${order}`]),
    ...(descending ? ['order=desc'] : []),
    ...(page === 1 ? [] : [`page=${page}`]),
  ];
  return `?${parameters.join('&')}`;
}

export const pageCount = (entryCount: number): number => Math.max(1, Math.ceil(entryCount / PAGE_ENTRIES));

/** The entries of the view's page; of the last one when there are not so many. */
export function pageOf<Entry>(entries: readonly Entry[], { page }: ListingView): Entry[] {
  const start = (Math.min(page, pageCount(entries.length)) - 1) * PAGE_ENTRIES;
  return entries.slice(start, start + PAGE_ENTRIES);
}

// Made with the first listing: the tables that it loads take longer than most of this package.
let collator: Intl.Collator | undefined;
const byName = (a: NamedEntry, b: NamedEntry): number => {
  collator ??= new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  return collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
};
// Directories lead in every order: that is where one looks for the way on.
const byKind = (a: NamedEntry, b: NamedEntry): number => (a.kind === b.kind ? 0 : a.kind === 'directory' ? -1 : 1);

export function sortByName<Entry extends NamedEntry>(entries: readonly Entry[], descending: boolean): Entry[] {
  const direction = descending ? -1 : 1;
  return [...entries].sort((a, b) => byKind(a, b) || direction * byName(a, b));
}

/** By size or time; equals by name. */
export function sortBySize(entries: readonly ListedEntry[], { order, descending }: ListingView): ListedEntry[] {
  const direction = descending ? -1 : 1;
  const key = order === 'time' ? 'modifiedMs' : 'byteLength';
  // The size of a directory says nothing.
  const difference = (a: ListedEntry, b: ListedEntry): number =>
    order === 'size' && a.kind === 'directory' ? 0 : direction * (a[key] - b[key]);
  return [...entries].sort((a, b) => byKind(a, b) || difference(a, b) || byName(a, b));
}
