// The status of a supervisor, for a person's eyes. Pure.

import type { ServerStatus } from '@wellknown/core';

// A screenful.
const MAX_ROWS = 20;

/** Rows in columns; the first one names them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const countsOf = (counts: Readonly<Partial<Record<string, number>>>): string =>
  Object.entries(counts)
    .filter(([, count = 0]) => count > 0)
    .map(([name, count = 0]) => `${name} ${count}`)
    .join(', ');

/** Services with their endpoints and counters, then workers. */
export function statusTable(status: ServerStatus): string {
  const services = status.services.map((service) => [
    service.name,
    service.endpoints.join(' '),
    String(service.connections.open),
    String(service.connections.waiting),
    String(service.backlog),
    String(service.connections.accepted),
    `${service.datagrams.received}/${service.datagrams.sent}`,
    [countsOf(service.connections.closed), countsOf(service.counters)].filter((text) => text !== '').join('; '),
  ]);
  const bySlot = [...status.workers].sort((a, b) => a.slot - b.slot);
  const workers = bySlot.map((worker) => [
    String(worker.slot),
    String(worker.pid),
    worker.at,
    String(worker.generation),
    `${Math.round(worker.eventLoop.busy * 100)} %`,
    `${Math.round(worker.eventLoop.delayMs.max)} ms`,
  ]);
  const pairs = status.services.flatMap((service) =>
    service.pairs.map((pair) => [service.name, pair.local, pair.remote, pair.state]),
  );
  const open = status.services.reduce((sum, { connections }) => sum + connections.open, 0);
  const { limitsExchange: exchange } = status;
  return [
    `supervisor ${status.pid}${status.state === 'listening' ? '' : `, ${status.state}`}`,
    table([
      ['service', 'listens on', 'open', 'waiting', 'in the kernel', 'accepted', 'datagrams in/out', 'closed'],
      ...services,
    ]),
    ...(workers.length === 0
      ? []
      : [table([['worker', 'pid', 'is', 'generation', 'busy', 'late by up to'], ...workers])]),
    ...(exchange === undefined
      ? []
      : [
          exchange.connected
            ? 'limits are shared with other machines'
            : `limits are those of this machine alone: the others can't be reached, ${exchange.lost} messages were lost`,
        ]),
    ...(pairs.length === 0 ? [] : [table([['connection', 'local', 'remote', 'is'], ...pairs.slice(0, MAX_ROWS)])]),
    ...(pairs.length > MAX_ROWS
      ? [`${MAX_ROWS} shown of ${open} open; 'wellknown connections' lists all of them`]
      : []),
  ]
    .join('\n\n')
    .concat('\n');
}
