// The admin listener of a program, in its primary: page, status, metrics, probes. It is served by node:http and not by
// any protocol of ours: it must answer when those don't, every program has it, and core knows no protocol.

import type http from 'node:http';
import type { Endpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { lateBuiltin } from '../late-builtin.ts';
import { explainBindFailure } from '../listener/bind-failure.ts';
import type { Logger } from '../log.ts';
import { prometheusText } from '../observe/prometheus-text.ts';
import { reloadedText, type Server } from '../server.ts';
import type { Clock } from '../time/clock.ts';
import { judge, ROUTES, type AdminPath } from './access.ts';
import { listConnections, parseConnectionQuery } from './connection-query.ts';
import { AdminConnections } from './connections.ts';
import { EventLog } from './event-log.ts';
import { LiveFeed } from './live-feed.ts';
import { PAGE } from './page.ts';
import { SCRIPT } from './page-script.ts';
import { STYLE } from './page-style.ts';
import { readiness, type ProbeAnswer } from './readiness.ts';

export interface AdminOptions {
  /** A TCP endpoint. */
  readonly endpoint: Endpoint;
  /** Without one it is for this machine alone, and only to be read. */
  readonly token: string | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  /** This process inherited its sockets: its predecessor has the address until it ends. */
  readonly isSuccessor?: boolean;
}

export interface AdminListener {
  /** Where it listens; a successor may not do so yet. */
  readonly endpoint: Endpoint;
  close(): Promise<void>;
}

// As an ES module it brings all that its exports name along, which from Node 22 on is fetch and HTTP/2.
const nodeHttp = lateBuiltin('node:http');

const HEADERS_TIMEOUT_MS = 5_000;
// A browser or a scraper opens the next connection; whoever sends on without one means no good.
const MAX_REQUESTS_PER_CONNECTION = 100;
const RETRY_MS = 200;
const SWEEP_MS = 1_000;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const TEXT = 'text/plain; charset=utf-8';

/** Opens the admin listener of `server`, which it closes with it. Rejects when the endpoint can't be bound. */
export async function openAdmin(server: Server, options: AdminOptions): Promise<AdminListener> {
  const { endpoint, token, log, clock, isSuccessor = false } = options;
  const events = new EventLog(clock, ['control']);
  const feed = new LiveFeed(server, events, clock);
  const ready = sharedWhilePending(async () => readiness(await server.status({ asksWorkers: false })));
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const { headers, method = '', url = '/' } = request;
    const [path = '/'] = url.split('?', 1);
    const verdict = judge(
      {
        method,
        path,
        host: headers.host,
        origin: headers.origin,
        fetchSite: singleOf(headers['sec-fetch-site']),
        authorization: headers.authorization,
      },
      token,
    );
    if (verdict.at === 'refused') {
      send(response, verdict.status, TEXT, `${verdict.why}\n`);
      return;
    }
    if (ROUTES[verdict.path].needs !== 'nothing') connections.markReader(request.socket);
    const query = url.slice(path.length + 1);
    await ANSWERS[verdict.path](response, { server, readiness: ready, feed, log, events, query });
  };
  // Node looks for those that are late every 30 seconds unless it is told otherwise.
  const timeouts = { keepAliveTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 1_000 };
  const listener = nodeHttp().createServer(timeouts, (request, response) => {
    // None of the requests has content that is of use.
    request.resume();
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'the admin listener could not answer');
      if (response.headersSent) response.destroy();
      else send(response, 500, TEXT, 'it failed, the log says why\n');
    });
  });
  const connections = new AdminConnections();
  listener.on('connection', (socket) => connections.opened(socket, clock.nowMs()));
  const sweep = clock.every(SWEEP_MS, () => connections.sweep(clock.nowMs()));
  listener.headersTimeout = HEADERS_TIMEOUT_MS;
  listener.requestTimeout = HEADERS_TIMEOUT_MS;
  // The last one is answered with 'Connection: close'.
  listener.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  listener.on('dropRequest', (_request, socket) => socket.destroy());
  let isOver = false;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      isOver = true;
      sweep.cancel();
      events.close();
      feed.close();
      listener.close(() => resolve());
      listener.closeAllConnections();
    });
  void server.ended.catch(() => undefined).then(close);
  const bind = async (): Promise<Endpoint> => {
    const bound = await listen(listener, endpoint);
    listener.on('error', (error) => log.warn({ err: error }, 'the admin listener could not accept a connection'));
    return bound;
  };
  try {
    return { endpoint: await bind(), close };
  } catch (error) {
    if (!isSuccessor) {
      await close();
      throw explainBindFailure(endpoint, error);
    }
  }
  const retry = (): void => {
    if (isOver) return;
    bind().then(
      () => log.info({}, 'the admin listener has followed its predecessor'),
      () => clock.after(RETRY_MS, retry),
    );
  };
  retry();
  return { endpoint, close };
}

interface Parts {
  readonly server: Server;
  readonly readiness: () => Promise<ProbeAnswer>;
  readonly feed: LiveFeed;
  readonly events: EventLog;
  readonly log: Logger;
  /** What stands behind the question mark. */
  readonly query: string;
}

const file =
  (type: string, text: string) =>
  (response: http.ServerResponse): void =>
    send(response, 200, type, text);

const ANSWERS: Readonly<Record<AdminPath, (response: http.ServerResponse, parts: Parts) => void | Promise<void>>> = {
  '/': file('text/html; charset=utf-8', PAGE),
  '/admin.css': file('text/css; charset=utf-8', STYLE),
  '/admin.js': file('text/javascript; charset=utf-8', SCRIPT),
  '/healthz': file(TEXT, 'alive\n'),
  async '/readyz'(response, parts) {
    const { isWell, words } = await parts.readiness();
    send(response, isWell ? 200 : 503, TEXT, `${words}\n`);
  },
  async '/metrics'(response, { server }) {
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', prometheusText(await server.status()));
  },
  async '/status.json'(response, { server }) {
    send(response, 200, 'application/json', `${JSON.stringify(await server.status())}\n`);
  },
  async '/connections'(response, { server, query }) {
    const asked = parseConnectionQuery(query);
    if (!asked.ok) {
      send(response, 400, TEXT, `${asked.error}\n`);
      return;
    }
    try {
      const list = await listConnections(server.connections(asked.value.filter), asked.value);
      send(response, 200, 'application/json', `${JSON.stringify(list)}\n`);
    } catch (error) {
      if (!(error instanceof WellknownError && error.code === 'OPTION_INVALID')) throw error;
      send(response, 400, TEXT, `${error.message}\n`);
    }
  },
  '/events'(response, { feed }) {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const viewer = (text: string): boolean => response.write(text);
    response.on('drain', () => feed.hasRoom(viewer));
    response.once('close', feed.join(viewer));
  },
  async '/reload'(response, { server, log, events }) {
    log.info({ command: 'reload' }, 'asked over the admin listener');
    try {
      const reloaded = await server.reload();
      const text = reloadedText(reloaded);
      if (reloaded.kept.length > 0) events.note(text);
      send(response, 200, TEXT, `${text}\n`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      events.note(`reload failed: ${why}`);
      send(response, 500, TEXT, `${why}\n`);
    }
  },
  '/drain'(response, { server, log }) {
    log.info({ command: 'drain' }, 'asked over the admin listener');
    send(response, 202, TEXT, 'draining\n');
    response.once('close', () => void server.close());
  },
};

function send(response: http.ServerResponse, status: number, type: string, text: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  response.writeHead(status, { ...HEADERS, ...challenge, 'content-type': type }).end(text);
}

/** One question to the workers at a time, however many probes ask: they are anybody's. */
function sharedWhilePending<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let pending: Promise<Value> | undefined;
  return () => (pending ??= ask().finally(() => (pending = undefined)));
}

const singleOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');

/** Resolves with the endpoint and its real port. */
function listen(listener: http.Server, endpoint: Endpoint): Promise<Endpoint> {
  return new Promise<Endpoint>((resolve, reject) => {
    if (endpoint.scheme === 'unix') throw new TypeError('the admin listener is served over TCP');
    const tcp = endpoint;
    const bound = (): void => {
      listener.off('error', failed);
      const address = listener.address();
      resolve(typeof address === 'object' && address !== null ? { ...tcp, port: address.port } : tcp);
    };
    // A bind that failed is tried again, and leaves no listener behind.
    const failed = (error: Error): void => {
      listener.off('listening', bound);
      reject(error);
    };
    listener.once('error', failed);
    const { host, port } = tcp;
    // Exclusive: in this very process, whatever node:cluster would do.
    listener.listen({ ...(host === '' ? {} : { host }), port, exclusive: true }, bound);
  });
}
