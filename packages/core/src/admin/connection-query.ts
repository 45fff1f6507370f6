// The connections that the admin page asks for: which, in what order, and which part of these. Text in, a list out; pure.

import { CONNECTION_TRANSITIONS } from '../connection/states.ts';
import type { ConnectionFilter, ConnectionPage, OpenConnection } from '../observe/open-connections.ts';
import { fail, ok, type Result } from '../result.ts';

/** What comes first. */
const ORDERS = {
  newest: (one: OpenConnection) => -(one.ageMs ?? 0),
  oldest: (one: OpenConnection) => one.ageMs ?? 0,
  received: (one: OpenConnection) => one.receivedBytes ?? 0,
  sent: (one: OpenConnection) => one.sentBytes ?? 0,
} as const satisfies Record<string, (one: OpenConnection) => number>;
export type ConnectionOrder = keyof typeof ORDERS;

export interface ConnectionQuery {
  /** For those who have the connections. */
  readonly filter: ConnectionFilter;
  readonly state?: string;
  readonly order: ConnectionOrder;
  /** How many of the first ones are left out. */
  readonly offset: number;
  readonly limit: number;
}

export interface ConnectionList {
  /** How many are meant. */
  readonly count: number;
  readonly connections: readonly OpenConnection[];
  /** False where there were too many to look at all of them: the others are not counted. */
  readonly isWhole: boolean;
  /** The slots of workers that did not answer in time. */
  readonly unanswered: readonly number[];
}

// A screen or two; what is looked through by a person, page by page; and what a second of work in the workers comes to.
export const MAX_LIMIT = 500;
export const MAX_OFFSET = 10_000;
export const MAX_LOOKED_AT = 100_000;

/** Those that one which is listed may be in. */
export const STATES = Object.keys(CONNECTION_TRANSITIONS).filter((state) => state !== 'closed');
const NAMES = ['service', 'remote', 'state', 'order', 'offset', 'limit'];

/** Reads the query of a URL. The problem names what was given and what is allowed. */
export function parseConnectionQuery(query: string): Result<ConnectionQuery, string> {
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].find((name) => !NAMES.includes(name));
  if (unknown !== undefined) return fail(`there is no '${unknown}' to ask for, there is ${NAMES.join(', ')}`);
  // What is empty is not asked for, as a form sends it.
  const text = (name: string): string | undefined => {
    const value = given.get(name)?.trim();
    return value === '' ? undefined : value;
  };
  const [service, remote, state, order = 'newest'] = ['service', 'remote', 'state', 'order'].map(text);
  if (state !== undefined && !STATES.includes(state))
    return fail(`state is '${state}', allowed are ${STATES.join(', ')}`);
  if (!isOrder(order)) return fail(`order is '${order}', allowed are ${Object.keys(ORDERS).join(', ')}`);
  const offset = numberOf('offset', text('offset') ?? '0', 0, MAX_OFFSET);
  const limit = numberOf('limit', text('limit') ?? '100', 1, MAX_LIMIT);
  if (!offset.ok) return offset;
  if (!limit.ok) return limit;
  return ok({
    order,
    offset: offset.value,
    limit: limit.value,
    filter: { ...(service === undefined ? {} : { service }), ...(remote === undefined ? {} : { remote }) },
    ...(state === undefined ? {} : { state }),
  });
}

const isOrder = (text: string): text is ConnectionOrder => Object.hasOwn(ORDERS, text);

function numberOf(name: string, text: string, min: number, max: number): Result<number, string> {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? ok(value) : fail(`${name} is '${text}', allowed are ${min} to ${max}`);
}

/** Goes through the pages, and keeps no more of them than may be asked for. */
export async function listConnections(
  pages: AsyncIterable<ConnectionPage>,
  { state, order, offset, limit }: ConnectionQuery,
): Promise<ConnectionList> {
  const kept = offset + limit;
  const first = (connections: readonly OpenConnection[]): OpenConnection[] =>
    connections.toSorted((one, other) => ORDERS[order](other) - ORDERS[order](one)).slice(0, kept);
  const unanswered: number[] = [];
  let found: OpenConnection[] = [];
  let count = 0;
  let lookedAt = 0;
  for await (const { worker, connections, answered } of pages) {
    if (!answered) unanswered.push(worker);
    lookedAt += connections.length;
    const meant = state === undefined ? connections : connections.filter((one) => one.state === state);
    count += meant.length;
    found.push(...meant);
    if (found.length > 2 * kept + MAX_LIMIT) found = first(found);
    if (lookedAt >= MAX_LOOKED_AT) break;
  }
  const isWhole = lookedAt < MAX_LOOKED_AT;
  return { count, connections: first(found).slice(offset), isWhole, unanswered };
}
