// Signals that come while a program still loads and starts. Without a listener Node would end the program (HUP, USR2),
// stop it (TTIN, TTOU) or open the debugger's port (USR1), and a service manager may send them as soon as it has the
// process id. So this is what a program imports first: it imports next to nothing itself, and the rest is loaded behind it.
// What Node does before it runs any code of ours can't be changed from here; docs/command-line.md tells what that is.

const STOPS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const REQUESTS = ['SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGUSR1'] as const;
type Stop = (typeof STOPS)[number];
type Request = (typeof REQUESTS)[number];

/** What a running server does when it is sent one. */
export type RequestHandlers = Readonly<Record<Request, () => void>>;

// Of a whole burst of TTIN none is lost, and nobody can fill the memory.
const MAX_HELD = 64;
const NO_USR1 = '--disable-sigusr1';

let heldRequests: Request[] = [];
let heldStop: Stop | undefined;
/** Whether there is nothing yet that a stop would have to wait for. */
let endsAtOnce = false;
/** Whether Node was told to open no debugger. */
let isSafeFromUsr1: boolean | undefined;

const holdRequest = (signal: NodeJS.Signals): void => {
  const isOnce = signal === 'SIGHUP' || signal === 'SIGUSR2' || signal === 'SIGUSR1';
  if (heldRequests.length < MAX_HELD && !(isOnce && heldRequests.includes(signal)))
    heldRequests.push(signal as Request);
};
const holdStop = (signal: NodeJS.Signals): void => {
  heldStop ??= signal as Stop;
  if (endsAtOnce) process.exit();
};

/**
 * From now on no signal ends this process or opens its debugger; one that is open is closed once it serves. Call it
 * first; more than once does no harm.
 */
export function holdSignals(): void {
  // What nobody uses yet may be loaded late in a program: see fetch/platform.ts of http.
  Reflect.set(globalThis, Symbol.for('@wellknown/program'), true);
  holdRequests();
  for (const signal of STOPS) if (!process.listeners(signal).includes(holdStop)) process.on(signal, holdStop);
  isSafeFromUsr1 ??= process.execArgv.includes(NO_USR1);
  // Workers and successors get the arguments of this process: where Node has this one, they are safe from their first moment.
  if (!isSafeFromUsr1 && process.features.inspector && hasNoUsr1(process.versions.node)) process.execArgv.push(NO_USR1);
}

/** The same for those that ask a server for something; a stop does what it does to any program. */
export function holdRequests(): void {
  for (const signal of REQUESTS) if (!process.listeners(signal).includes(holdRequest)) process.on(signal, holdRequest);
}

/**
 * This program is going to serve: a stop that came, and one that comes before `takeRequests`, ends it with status 0, or with that
 * of a failure where one was found already.
 */
export function endOnStop(): void {
  endsAtOnce = true;
  if (heldStop !== undefined) process.exit();
}

/** The server has its own listeners for TERM, INT and QUIT now. */
export function releaseStops(): void {
  for (const signal of STOPS) process.off(signal, holdStop);
}

/** Those that were held, then all to come, go to the handlers. */
export function takeRequests(handlers: RequestHandlers): void {
  for (const signal of REQUESTS) process.on(signal, handlers[signal]).off(signal, holdRequest);
  closeInspector();
  const held = heldRequests;
  heldRequests = [];
  for (const signal of held) handlers[signal]();
}

/** This program does not serve: signals do what they do to any other, also the one that was held. */
export function releaseSignals(): void {
  const held = heldStop ?? heldRequests.find((signal) => signal === 'SIGHUP');
  dropSignals();
  if (held !== undefined) process.kill(process.pid, held);
}

/** Since 22.14 and 23.7. Asked of the version: to build the set of all flags that Node has takes longer than all else here. */
function hasNoUsr1(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 7) || (major === 22 && minor >= 14);
}

function dropSignals(): void {
  releaseStops();
  for (const signal of REQUESTS) process.off(signal, holdRequest);
  heldRequests = [];
  heldStop = undefined;
  endsAtOnce = false;
}

/**
 * Closes a debugger's port that USR1 has opened before there was a listener; one that was asked for stays. For a process
 * that serves: to look costs a tenth of its start.
 */
export function closeInspector(): void {
  const wanted = [process.env.NODE_OPTIONS ?? '', ...process.execArgv].some((text) => text.includes('--inspect'));
  if (wanted || isSafeFromUsr1 === true || !process.features.inspector) return;
  // Not imported above: a Node without it can't load it.
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() !== undefined) inspector.close();
}
