// A directory as a page that lists it.

import { responseOf, type HttpResponse } from '../fetch/response.ts';
import type { DiskProblem, DiskRoot } from './disk.ts';
import { errorResponse } from './file-response.ts';
import { LISTING_POLICY, renderListing } from './listing.ts';
import { pageCount, pageOf, sortByName, sortBySize, type ListingView } from './listing-order.ts';
import { problemOfName } from './path.ts';

/** What is answered where the disk gives nothing. */
export const PROBLEM_STATUS: Readonly<Record<DiskProblem, 403 | 404 | 503>> = {
  'not-found': 404,
  forbidden: 403,
  busy: 503,
};

// In a longer list nothing is found by looking; sorting by size or time looks at each on the disk.
const MAX_LISTED_ENTRIES = 10_000;
const LISTING_HEADERS = {
  'Content-Type': 'text/html;charset=utf-8',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': LISTING_POLICY,
  'X-Content-Type-Options': 'nosniff',
};

/** The page of a view. */
export async function listingResponse(
  disk: DiskRoot,
  segments: readonly string[],
  view: ListingView,
  dotfiles: 'deny' | 'allow',
): Promise<HttpResponse> {
  const isVisible = (name: string): boolean => problemOfName(name, segments.length === 0, dotfiles) === undefined;
  const listed = await disk.list(segments, MAX_LISTED_ENTRIES, isVisible);
  if (!listed.ok) return errorResponse(PROBLEM_STATUS[listed.error]);
  const { entries, omitted, unnameable } = listed.value;
  const shown =
    view.order === 'name'
      ? await disk.measure(segments, pageOf(sortByName(entries, view.descending), view))
      : pageOf(sortBySize(await disk.measure(segments, entries), view), view);
  const directories = entries.filter(({ kind }) => kind === 'directory').length;
  const page = renderListing({
    segments,
    view,
    entries: shown,
    pages: pageCount(entries.length),
    directories,
    files: entries.length - directories,
    omitted,
    unnameable,
  });
  return responseOf(page, { headers: LISTING_HEADERS });
}
