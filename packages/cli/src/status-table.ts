// The status of a supervisor, for a person's eyes. Pure.

import type { ServerStatus } from '@wellknown/core';

// A screenful.
const MAX_ROWS = 20;

// A number, which may have a unit.
const AMOUNT = /^(?:\d+(?:\.\d+)?(?: [%A-Za-z]+)?|\d+\/\d+|-?)$/;

/** Rows in columns; the first one names them. Columns of numbers alone end on the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.map((_, column) => rows.map((row) => row[column] ?? '')) ?? [];
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  // The first one is what a row is about.
  const isAmount = columns.map(
    ([, ...cells], column) =>
      column > 0 && cells.some((cell) => /\d/.test(cell)) && cells.every((cell) => AMOUNT.test(cell)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isAmount[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
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
  const services = status.services.flatMap((service) => {
    const [first = '', ...others] = service.endpoints;
    const hasDatagrams = service.endpoints.some((endpoint) => endpoint.startsWith('udp:'));
    return [
      [
        service.name,
        first,
        String(service.connections.open),
        String(service.connections.waiting),
        String(service.backlog),
        String(service.connections.accepted),
        hasDatagrams ? `${service.datagrams.received}/${service.datagrams.sent}` : '-',
        [countsOf(service.connections.closed), countsOf(service.counters)].filter((text) => text !== '').join('; '),
      ],
      ...others.map((endpoint) => ['', endpoint]),
    ];
  });
  const bySlot = [...status.workers].sort((a, b) => a.slot - b.slot);
  const workers = bySlot.map((worker) => [
    String(worker.slot),
    String(worker.pid),
    worker.at,
    String(worker.generation),
    `${Math.round(worker.eventLoop.busy * 100)} %`,
    `${Math.round(worker.eventLoop.delayMs.max)} ms`,
    `${Math.round(worker.memory.residentBytes / 1e6)} MB`,
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
      : [table([['worker', 'pid', 'is', 'generation', 'busy', 'late by up to', 'memory'], ...workers])]),
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
