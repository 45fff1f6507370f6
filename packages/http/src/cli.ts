// `wellknown http` and `wellknown-http`: from options to the protocol they mean.

import { CidrTable } from '@wellknown/core/endpoint';
import { fail, ok, type Address, type Result } from '@wellknown/core';
import {
  loadHandlerModule,
  openProgramAccessLog,
  readChoice,
  readNumber,
  type BuildContext,
  type OptionValues,
  type ServerCommand,
} from '@wellknown/core/cli';
import { basicAuth } from './auth/basic-auth.ts';
import { openPasswordFile } from './auth/password-file.ts';
import { combinedLine } from './access-log/access-entry.ts';
import { platform } from './fetch/platform.ts';
import { replaceGlobals } from './fetch/replace-globals.ts';
import type { FetchHandler } from './handler.ts';
import { HALF_CLOSE_POLICIES } from './exchange/service.ts';
import { httpProtocol, type HttpProtocolOptions } from './protocol.ts';
import { redirectToHttps } from './redirect.ts';
import { fieldsFromOptions, FILE_OPTIONS, filesFromOptions } from './static/file-options.ts';
import { withFieldsOnRefusals } from './static/refusals.ts';

const FORWARDED_FIELDS = ['x-forwarded-for', 'forwarded'] as const;

export const httpCommand: ServerCommand = {
  name: 'http',
  summary: 'serve files or a fetch handler over HTTP/1.1 and, with TLS, HTTP/2',
  examples: [
    { line: './site --port-offset 8000', does: 'Serve the files of a folder, on this machine only, port 8080' },
    { line: './site --listen tcp://:80 --run-as www-data', does: 'Serve them to the network, without rights' },
    { line: '--handler ./app.js --port-offset 8000', does: 'Serve what a module of yours answers' },
  ],
  positional: { name: 'ROOT', help: 'the directory whose files are served (default: the current one)' },
  options: [
    { name: 'handler', argument: 'FILE', help: 'serve a fetch handler instead: the default export of this module' },
    {
      name: 'platform-classes',
      help: "leave Node's own Response, Request, Headers and fetch to the handler; ours, which are faster, replace them",
    },
    ...FILE_OPTIONS,
    {
      name: 'users',
      argument: 'FILE',
      help: "ask for a name and a password of this file (as 'htpasswd -B' makes it) before anything is served (default: nobody is asked)",
    },
    {
      name: 'realm',
      argument: 'TEXT',
      help: 'what a browser shows when it asks for the password (default: Restricted)',
    },
    {
      name: 'max-body',
      argument: 'BYTES',
      help: 'the most content that a request may bring, 0 for any amount (default: 1048576)',
    },
    {
      name: 'access-log',
      argument: 'FILE',
      help: 'one line for each request in the combined format; - is stderr (default: none)',
    },
    {
      name: 'trust-proxy',
      argument: 'CIDR',
      repeatable: true,
      help: "a proxy that is believed about the client, 'unix' for those on a unix socket (default: none)",
    },
    {
      name: 'forwarded',
      argument: 'FIELD',
      help: 'the field in which trusted proxies name the client: x-forwarded-for or forwarded (default: x-forwarded-for)',
    },
    {
      name: 'half-close',
      argument: 'POLICY',
      help: 'what a client means that ends its side before it has its response: answer (it has no more to ask) or abort (it is gone, as browsers are) (default: answer)',
    },
    {
      name: 'redirect-to-https',
      argument: 'PORT',
      help: 'redirect clients without TLS to the same place over HTTPS on this port; ROOT or --handler is for those with TLS',
    },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'tls', 'unix'],
  async build(values, context) {
    const file = values.text('handler');
    if (file === undefined && values.has('platform-classes'))
      return fail('--platform-classes has no meaning without --handler');
    const redirect = readRedirect(values);
    if (!redirect.ok) return redirect;
    const isAlone =
      values.positional === undefined &&
      file === undefined &&
      !values.has('users') &&
      !FILE_OPTIONS.some(({ name }) => values.has(name));
    const served =
      redirect.value !== undefined && isAlone
        ? ok(redirect.value)
        : file === undefined
          ? await filesFromOptions(values)
          : await buildHandler(values, file, context);
    if (!served.ok) return served;
    const options = buildProtocolOptions(values, context);
    const guarded = await buildAuth(values, served.value, context);
    if (!guarded.ok) return guarded;
    const handler = redirect.value === undefined ? guarded.value : byScheme(redirect.value, guarded.value);
    return options.ok ? ok(httpProtocol(handler, options.value)) : options;
  },
};

/** The handler behind the passwords of --users, where they are given. */
async function buildAuth(
  values: OptionValues,
  handler: FetchHandler,
  { log }: BuildContext,
): Promise<Result<FetchHandler, string>> {
  const path = values.text('users');
  const realm = values.text('realm');
  if (path === undefined) return realm === undefined ? ok(handler) : fail(`--realm has no meaning without --users`);
  if (realm !== undefined && !/^[\x20-\x7e]*$/.test(realm))
    return fail(`--realm '${realm}' can't be sent: only printable ASCII is allowed`);
  const users = await openPasswordFile(path, {
    failed: (problem) =>
      log.error({ file: path, problem }, 'the users stay those of before: the password file is not valid'),
  });
  if (!users.ok) return fail(`--users '${path}' ${users.error}`);
  const guarded = basicAuth(handler, { users: users.value, ...(realm !== undefined && { realm }) });
  return ok(withFieldsOnRefusals(guarded, fieldsFromOptions(values)));
}

async function buildHandler(
  values: OptionValues,
  file: string,
  { isServing }: BuildContext,
): Promise<Result<FetchHandler, string>> {
  if (values.positional !== undefined)
    return fail(`--handler ${file} and the directory '${values.positional}' were both given: serve one of them`);
  const other = FILE_OPTIONS.find(({ name }) => values.has(name));
  if (other !== undefined) return fail(`--${other.name} is for files and has no meaning with --handler ${file}`);
  // A primary answers nothing.
  if (!isServing) return ok(redirectToHttps());
  // Before the module runs: it may keep the names.
  if (values.has('platform-classes')) platform();
  else replaceGlobals();
  return loadHandlerModule(file, { expected: 'a function or an object with a fetch method', pick: pickFetchHandler });
}

function pickFetchHandler(exported: unknown): FetchHandler | undefined {
  if (typeof exported === 'function') return exported as FetchHandler;
  if (typeof exported !== 'object' || exported === null || !('fetch' in exported)) return undefined;
  if (typeof exported.fetch !== 'function') return undefined;
  const server = exported as { readonly fetch: FetchHandler };
  return (request, context) => server.fetch(request, context);
}

function readRedirect(values: OptionValues): Result<FetchHandler | undefined, string> {
  const text = values.text('redirect-to-https');
  if (text === undefined) return ok(undefined);
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535
    ? ok(redirectToHttps(port))
    : fail(`--redirect-to-https '${text}' is no port, allowed are 1 to 65535`);
}

/** One handler for clients without TLS and one for those with it, as a trusted proxy may tell. */
const byScheme =
  (inClear: FetchHandler, overTls: FetchHandler): FetchHandler =>
  (request, context) =>
    (context.client.scheme === 'https' ? overTls : inClear)(request, context);

/** What the protocol needs beside the handler: trusted proxies, the access log, limits. */
function buildProtocolOptions(values: OptionValues, context: BuildContext): Result<HttpProtocolOptions, string> {
  const field = readChoice(values, 'forwarded', FORWARDED_FIELDS);
  if (!field.ok) return field;
  const trusted = values.list('trust-proxy');
  if (field.value !== undefined && trusted.length === 0)
    return fail(`--forwarded ${field.value} has no meaning without --trust-proxy`);
  const table = new CidrTable<true>();
  for (const cidr of trusted) {
    const added = cidr === 'unix' ? ok(true) : table.add(cidr, true);
    if (!added.ok) return fail(`--trust-proxy ${cidr}: ${added.error}`);
  }
  const trustsUnix = trusted.includes('unix');
  const isTrusted = (address: Address | string): boolean =>
    typeof address !== 'string' && address.family === 'unix' ? trustsUnix : table.match(address) !== undefined;
  const halfClose = readChoice(values, 'half-close', HALF_CLOSE_POLICIES);
  if (!halfClose.ok) return halfClose;
  // Core has checked it by now.
  const idle = readNumber(values, 'idle-timeout', { min: 0 });
  const maxBody = readNumber(values, 'max-body', { whole: true, min: 0 });
  if (!maxBody.ok) return maxBody;
  const limits = {
    ...(idle.ok && idle.value !== undefined && { idleTimeoutMs: idle.value * 1000 }),
    ...(maxBody.value !== undefined && { maxBodyBytes: maxBody.value === 0 ? Infinity : maxBody.value }),
  };
  const accessLog = openProgramAccessLog(values.text('access-log'), context);
  if (!accessLog.ok) return accessLog;
  const write = accessLog.value;
  return ok({
    // A handler of the user's has them by now.
    preloadPlatformClasses: false,
    limits,
    accessLog: write === undefined ? undefined : (entry) => write(combinedLine(entry)),
    halfClose: halfClose.value,
    proxies: trusted.length === 0 ? undefined : { field: field.value ?? 'x-forwarded-for', isTrusted },
  });
}
