// The workers of a server program, made before the program itself is loaded: their processes start while it is. Until the
// command line is parsed that is a guess, so only for one whose workers can't be others than these: `usageError` ends them
// where it turns out to be wrong.

import { isSuccessor } from '../listener/inheritance.ts';
import { forkEarlyWorkers } from '../supervisor/early-workers.ts';
import { isOurWorker } from '../supervisor/worker-place.ts';

// What answers something else than a server, has its workers run as somebody else, or takes their number from a file.
const OTHER_STARTS = /^(?:-[a-z]|--(?:help|version|inetd|run-as|config)(?:=|$))/i;
const WORKERS = '--workers';

/** The number of workers that a command line asks for, without the name of its command; undefined where that is open. */
export function workersOf(argv: readonly string[]): number | 'auto' | undefined {
  if (argv.some((word) => OTHER_STARTS.test(word))) return undefined;
  const given = argv.flatMap((word, index) =>
    word === WORKERS ? [argv[index + 1] ?? ''] : word.startsWith(`${WORKERS}=`) ? [word.slice(WORKERS.length + 1)] : [],
  );
  if (given.length > 1) return undefined;
  const [text = 'auto'] = given;
  if (text === 'auto') return text;
  return /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : undefined;
}

/** Makes them, in a process that is to be their primary. For commands that serve, whose name is not in `argv`. */
export function startFirstWorkers(argv: readonly string[]): void {
  const workers = workersOf(argv);
  if (workers !== undefined && !isOurWorker() && !isSuccessor(process.env)) forkEarlyWorkers(workers, undefined);
}
