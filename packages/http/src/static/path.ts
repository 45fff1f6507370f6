// From a request path to the names below the root, or a refusal. Decoded once; nothing here asks the disk.

import { sep } from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';

export interface FilePath {
  /** Never empty strings, `.` or `..`; without separators and NUL. Empty for the root itself. */
  readonly segments: readonly string[];
  /** The path ends in `/`: it names a directory. */
  readonly namesDirectory: boolean;
  /** With its `?`, or empty. */
  readonly query: string;
  /** The path as it came, without the query. */
  readonly key: string;
}

/** 400: no client could mean this. 404: it is not for the public. */
export type PathProblem = 400 | 404;

// The only name with a dot in front that is meant for the public (RFC 8615).
const WELL_KNOWN = '.well-known';
// No URL holds these as they are, and others read `\` as `/`. Encoded, they are characters of a name like any other:
// archives of another system bring `a\b`, and systemd writes `\x2d`.
const NEVER_RAW = /[\0-\x1f\x7f\\]/;

/** Reads path and query of a request target in origin form. */
export function parseFilePath(target: string, dotfiles: 'deny' | 'allow'): Result<FilePath, PathProblem> {
  const queryStart = target.indexOf('?');
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  if (NEVER_RAW.test(path)) return fail(400);
  const segments: string[] = [];
  for (const encoded of path.split('/')) {
    // Several slashes in a row are one, as every common server has it.
    if (encoded === '') continue;
    const segment = decodeSegment(encoded);
    if (segment === undefined) return fail(400);
    const problem = problemOfName(segment, segments.length === 0, dotfiles);
    if (problem !== undefined) return fail(problem);
    segments.push(segment);
  }
  return ok({
    segments,
    namesDirectory: path.endsWith('/'),
    key: path,
    query: queryStart < 0 ? '' : target.slice(queryStart),
  });
}

/** Why a name is never served, whatever lies there. */
export function problemOfName(name: string, isFirst: boolean, dotfiles: 'deny' | 'allow'): PathProblem | undefined {
  // What no file is called: NUL, and where this system divides a path.
  if (name === '.' || name === '..' || name.includes('\0') || name.includes('/') || name.includes(sep)) return 400;
  return name.startsWith('.') && dotfiles === 'deny' && !(isFirst && name === WELL_KNOWN) ? 404 : undefined;
}

/** One segment, percent-decoded; undefined for bad escapes and invalid UTF-8. */
function decodeSegment(encoded: string): string | undefined {
  try {
    return encoded.includes('%') ? decodeURIComponent(encoded) : encoded;
  } catch {
    return undefined;
  }
}

/** The path and query of any target form that a handler sees. */
export function pathOfTarget(target: string): string {
  if (target.startsWith('/')) return target;
  const scheme = target.indexOf('://');
  const pathStart = target.slice(scheme + 3).search(/[/?]/);
  return pathStart < 0 ? '/' : target.slice(scheme + 3 + pathStart);
}

/**
 * What patterns of paths are asked, so that no other spelling of a path gets around them: decoded, with one slash where
 * there are several, and without the query. As it came where it can mean no file.
 */
export function plainPath(target: string): string {
  const path = pathOnly(pathOfTarget(target));
  if (!/%|\/\//.test(path)) return path;
  const parsed = parseFilePath(path, 'allow');
  if (!parsed.ok) return path;
  const { segments, namesDirectory } = parsed.value;
  return `/${segments.join('/')}${namesDirectory && segments.length > 0 ? '/' : ''}`;
}

/** Without the query. */
export function pathOnly(target: string): string {
  const queryStart = target.indexOf('?');
  return queryStart < 0 ? target : target.slice(0, queryStart);
}
