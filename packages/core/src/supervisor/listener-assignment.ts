// Which worker accepts from which socket. Pure: sockets and workers in, the wanted assignments out.
//
// A shared socket is assigned to every worker. A socket of one slot (one of several with SO_REUSEPORT, each with its own
// queue) is assigned to the worker of its slot; while that worker is not there, is full or does not answer, another serves it,
// so that no connection waits for a replacement that is slow to come or for an event loop that is blocked.

export interface AssignableSocket {
  readonly id: number;
  readonly service: number;
  /** The slot that it belongs to; undefined for a shared socket. */
  readonly slot: number | undefined;
}

export interface AssignableWorker {
  readonly workerId: number;
  readonly slot: number;
  /** `starting`: it has asked for its sockets and is not ready yet. `late`: it is ready, and its beat is overdue. */
  readonly at: 'starting' | 'ready' | 'late';
  /** The services whose share of connections it has used up. */
  readonly fullServices: ReadonlySet<number>;
  /** Which of its services it would serve from the socket; undefined for none. Left out where all serve the same. */
  readonly serviceOf?: (socket: AssignableSocket) => number | undefined;
}

/** For each worker, the sockets it should be accepting from. A full worker is assigned none of that service. */
export function wantedAssignments(
  sockets: readonly AssignableSocket[],
  workers: readonly AssignableWorker[],
): Map<number, Set<number>> {
  const assignments = new Map<number, Set<number>>(workers.map((worker) => [worker.workerId, new Set()]));
  for (const socket of sockets) {
    for (const worker of acceptorsOf(socket, workers)) assignments.get(worker.workerId)?.add(socket.id);
  }
  return assignments;
}

function acceptorsOf(socket: AssignableSocket, workers: readonly AssignableWorker[]): readonly AssignableWorker[] {
  const able = workers.filter((worker) => {
    const service = worker.serviceOf === undefined ? socket.service : worker.serviceOf(socket);
    return service !== undefined && !worker.fullServices.has(service);
  });
  if (socket.slot === undefined) return able;
  const own = able.filter((worker) => worker.slot === socket.slot);
  if (own.some((worker) => worker.at === 'ready')) return own;
  const standIns = able.filter((worker) => worker.at === 'ready');
  const standIn = standIns[socket.slot % Math.max(1, standIns.length)];
  return standIn === undefined ? own : [...own, standIn];
}

export interface AssignmentChange {
  readonly workerId: number;
  readonly id: number;
  readonly do: 'assign' | 'withdraw';
}

/** What must be said to get from the present assignments to the wanted ones. */
export function assignmentChanges(
  present: ReadonlyMap<number, ReadonlySet<number>>,
  wanted: ReadonlyMap<number, ReadonlySet<number>>,
): AssignmentChange[] {
  const changes: AssignmentChange[] = [];
  for (const [workerId, ids] of wanted)
    for (const id of ids) if (present.get(workerId)?.has(id) !== true) changes.push({ workerId, id, do: 'assign' });
  for (const [workerId, ids] of present)
    for (const id of ids)
      if (wanted.has(workerId) && wanted.get(workerId)?.has(id) !== true)
        changes.push({ workerId, id, do: 'withdraw' });
  return changes;
}
