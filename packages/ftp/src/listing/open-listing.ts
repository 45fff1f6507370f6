// A listing, from the question to the text that travels: LIST, NLST, MLSD and STAT with a path.
//
// Nothing is gathered unless it has to be sorted: entries become text portion by portion, and the caller asks for the
// next when the last is on its way.

import { fail, ok, type Result } from '@wellknown/core';
import type { Entry, FileProblem, FileSystem } from '../file-system.ts';
import { nameOf, parentOf, type AbsolutePath } from '../path.ts';
import type { ResolvedRights } from '../users/rights.ts';
import { factLine, listingReader, listLine, mayBeListed, type Fact } from './format.ts';
import { compilePattern, isPattern } from './glob.ts';
import type { ListOptions } from './options.ts';

export interface ListingRequest {
  /** `long`: LIST. `names`: NLST. `facts`: MLSD, which is of directories only and knows neither options nor patterns. */
  readonly form: 'long' | 'names' | 'facts';
  /** What is listed, or the pattern, made absolute. */
  readonly path: AbsolutePath;
  /** The same as the client has said it: the names of NLST begin with it, so that RETR finds them from where they stand. */
  readonly given: string;
  readonly options: ListOptions;
  readonly facts: readonly Fact[];
  readonly rights: ResolvedRights;
  readonly nowMs: number;
}

export interface Listing {
  /** Whole lines with CR LF, in portions of about 64 KiB. */
  readonly text: AsyncIterable<string>;
  /** How many entries have been told so far. */
  readonly entries: number;
}

// What a socket takes well at once.
const PORTION_LENGTH = 64 * 1024;
// To sort, all entries must be held: some 300 bytes each. A larger directory comes as the file system has it.
const MAX_SORTED_ENTRIES = 100_000;

/** What a listing goes through, and what each name in it is preceded by. */
interface Found {
  readonly portions: AsyncIterable<readonly Entry[]>;
  readonly directory: AbsolutePath;
  readonly prefix: string;
}

/** Finds out whether there is anything to list, before a data connection is used. */
export async function openListing(
  fileSystem: FileSystem,
  request: ListingRequest,
): Promise<Result<Listing, FileProblem>> {
  const found = await find(fileSystem, request);
  if (!found.ok) return found;
  const { directory, prefix } = found.value;
  const reader = listingReader(request.rights, directory, request.nowMs);
  const form = request.form === 'facts' ? 'facts' : (request.options.form ?? request.form);
  const lineOf = (entry: Entry): string => {
    if (form === 'long') return listLine(entry, reader);
    return form === 'names' ? prefix + entry.name : factLine(entry, request.facts, reader);
  };
  const listing = { entries: 0 };
  async function* text(portions: AsyncIterable<readonly Entry[]>): AsyncGenerator<string> {
    let held = '';
    for await (const portion of portions) {
      for (const entry of portion) {
        if (!mayBeListed(entry)) continue;
        listing.entries += 1;
        held += `${lineOf(entry)}\r\n`;
        if (held.length < PORTION_LENGTH) continue;
        yield held;
        held = '';
      }
    }
    if (held !== '') yield held;
  }
  return ok(Object.assign(listing, { text: text(sorted(found.value.portions, request.options)) }));
}

/** The first lines of a listing, for a reply on the control connection; `isCut` when there are more. */
export async function listingLines(
  fileSystem: FileSystem,
  request: ListingRequest,
  maxLines: number,
): Promise<Result<{ readonly lines: readonly string[]; readonly isCut: boolean }, FileProblem>> {
  const listing = await openListing(fileSystem, request);
  if (!listing.ok) return listing;
  const lines: string[] = [];
  for await (const text of listing.value.text) {
    for (const line of text.split('\r\n').slice(0, -1)) {
      if (lines.length === maxLines) return ok({ lines, isCut: true });
      lines.push(line);
    }
  }
  return ok({ lines, isCut: false });
}

async function find(fileSystem: FileSystem, request: ListingRequest): Promise<Result<Found, FileProblem>> {
  const { form, path, given, options } = request;
  const { directoryItself, followLinks } = options;
  let entry = await fileSystem.stat(path, { followLinks: !directoryItself || followLinks });
  // A link that leads nowhere is listed as what it is.
  if (!entry.ok && entry.error === 'not-found' && form !== 'facts')
    entry = await fileSystem.stat(path, { followLinks: false });
  if (!entry.ok) {
    const isExpanded = entry.error === 'not-found' && form !== 'facts' && isPattern(nameOf(path));
    return isExpanded ? expand(fileSystem, request) : entry;
  }
  if (entry.value.type === 'directory' && !directoryItself) {
    const entries = await fileSystem.list(path, { followLinks });
    if (!entries.ok) return entries;
    const prefix = given === '' || given.endsWith('/') ? given : `${given}/`;
    return ok({ portions: entries.value, directory: path, prefix });
  }
  if (form === 'facts') return fail('not-directory');
  return ok({
    portions: only({ ...entry.value, name: nameOf(path) || '.' }),
    directory: parentOf(path),
    prefix: given.slice(0, given.length - nameOf(path).length),
  });
}

/** One level of a pattern (RFC 1123 §4.1.2.7): the last name of the path. Nothing found is a 550, as for a plain name. */
async function expand(
  fileSystem: FileSystem,
  { path, given, options }: ListingRequest,
): Promise<Result<Found, FileProblem>> {
  const directory = parentOf(path);
  const entries = await fileSystem.list(directory, { followLinks: options.followLinks });
  if (!entries.ok) return entries;
  const isMatch = compilePattern(nameOf(path));
  const matching = filtered(entries.value, (entry) => isMatch(entry.name) && mayBeListed(entry));
  const first = await matching.next();
  if (first.done === true) return fail('not-found');
  return ok({
    portions: startingWith(first.value, matching),
    directory,
    prefix: given.slice(0, given.lastIndexOf('/') + 1),
  });
}

async function* filtered(
  portions: AsyncIterable<readonly Entry[]>,
  keeps: (entry: Entry) => boolean,
): AsyncGenerator<readonly Entry[]> {
  for await (const portion of portions) {
    const kept = portion.filter(keeps);
    if (kept.length > 0) yield kept;
  }
}

async function* startingWith<Value>(first: Value, rest: AsyncIterable<Value>): AsyncGenerator<Value> {
  yield first;
  yield* rest;
}

async function* only(entry: Entry): AsyncGenerator<readonly Entry[]> {
  yield await Promise.resolve([entry]);
}

const byName = (one: Entry, other: Entry): number => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
const ORDERS = {
  name: byName,
  time: (one: Entry, other: Entry): number => other.mtimeMs - one.mtimeMs || byName(one, other),
  size: (one: Entry, other: Entry): number => other.sizeBytes - one.sizeBytes || byName(one, other),
};

async function* sorted(
  portions: AsyncIterable<readonly Entry[]>,
  { sort, reverse }: ListOptions,
): AsyncGenerator<readonly Entry[]> {
  if (sort === undefined && !reverse) {
    yield* portions;
    return;
  }
  const held: Entry[] = [];
  let isTooMuch = false;
  for await (const portion of portions) {
    if (!isTooMuch) for (const entry of portion) held.push(entry);
    if (isTooMuch) yield portion;
    else if (held.length > MAX_SORTED_ENTRIES) {
      isTooMuch = true;
      yield held;
    }
  }
  if (isTooMuch) return;
  held.sort(ORDERS[sort ?? 'name']);
  yield reverse ? held.reverse() : held;
}
