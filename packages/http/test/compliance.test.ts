// docs/compliance/http.md is made from the tables that decide and that are tried: `npx vitest run
// packages/http/test/compliance.test.ts --update` writes it anew. What other suites found is written here by hand.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { REFUSALS } from '../src/semantics/refusals.ts';
import { REQUEST_ROWS } from './http1/checklist-requests.ts';
import { RESPONSE_ROWS } from './http1/checklist-responses.ts';
import {
  GUNICORN_DEVIATIONS,
  GUNICORN_READ_DIFFERENTLY,
  LLHTTP_DEVIATIONS,
  type Deviation,
} from './http1/deviations.ts';
import { FRAME_CASES } from './http2/conformance-frames.ts';
import { MESSAGE_CASES } from './http2/conformance-messages.ts';

const CHECKLIST = [...REQUEST_ROWS, ...RESPONSE_ROWS];
const HTTP2_CASES = [...FRAME_CASES, ...MESSAGE_CASES];

const vectors = (name: string): readonly { readonly meta?: { readonly type: string } }[] =>
  JSON.parse(readFileSync(new URL(`http1/vectors/${name}.json`, import.meta.url), 'utf8')) as [];
const llhttp = vectors('llhttp').filter(({ meta }) => meta?.type === 'request' || meta?.type === 'request-finish');
const gunicorn = vectors('gunicorn');

/** The reasons of deviations, each once, with the number of cases. */
function reasonsOf(deviations: Readonly<Record<string, Deviation>>): string[] {
  const reasons = new Map<string, number>();
  for (const { ours, rfc, reason } of Object.values(deviations)) {
    const row = `${ours} | ${rfc} | ${reason}`;
    reasons.set(row, (reasons.get(row) ?? 0) + 1);
  }
  return [...reasons].map(([row, count]) => `| ${count} | ${row} |`);
}

const page = (): string =>
  [
    '# HTTP: the rules that are kept, and what other suites say',
    '',
    'Made from the tables that the engine decides by and that its tests try (`packages/http/src/semantics/refusals.ts`, `packages/http/test/http1/checklist-*.ts`,',
    '`packages/http/test/http2/conformance-*.ts`), and from runs of other projects’ suites.',
    '',
    '## Requests that are refused before a handler sees them',
    '',
    'Behind each of them the connection is closed: what follows can’t be trusted. Over HTTP/2 the stream is answered, or reset where there is no answer to give.',
    '',
    '| status | RFC | |',
    '|---|---|---|',
    ...Object.values(REFUSALS).map(({ status, rfc, text }) => `| ${status} | ${rfc} | ${text} |`),
    '',
    '## RFC 9110 and 9112, rule by rule',
    '',
    `${CHECKLIST.length} rules, tried with ${CHECKLIST.flatMap(({ cases }) => cases).length} inputs, each whole, byte by byte and cut anywhere.`,
    '',
    '| section | rule | inputs |',
    '|---|---|---|',
    ...CHECKLIST.map(({ section, rule, cases }) => `| ${section} | ${rule} | ${cases.length} |`),
    '',
    'The choices that they leave:',
    '',
    '- 9110 §9: methods that this server does not know are 501, CONNECT too. TRACE is 405 (§9.3.8), and `OPTIONS *` is answered without the handler.',
    '- 9110 §13.2: preconditions are read by `serveFiles`. A handler that gives validators itself compares them itself.',
    '- 9110 §14: ranges by `serveFiles`, in bytes, for GET; a list with more than 16 is answered with the whole file.',
    '- 9111: nothing is cached here. What `serveFiles` says to caches: validators, Cache-Control, Vary, Date; a 304 repeats them (9110 §15.4.5).',
    '- 9112 §6.1: chunked alone is spoken, in both directions; trailers are told apart from fields (9110 §6.5.1).',
    '- 9112 §9.3.2: of pipelined requests one is handled at a time, and the answers leave in order.',
    '',
    '## RFC 9113 and 7541',
    '',
    `${HTTP2_CASES.length} sentences, tried frame by frame. Most is decided by the nghttp2 of Node. Where it does not do what the RFC says, or has a choice:`,
    '',
    '| section | case | here | since |',
    '|---|---|---|---|',
    ...HTTP2_CASES.flatMap(({ clause, what, instead }) =>
      instead === undefined ? [] : [`| 9113 §${clause} | ${what} | ${instead.outcome.at} | ${instead.why} |`],
    ),
    '',
    '## Suites of other parsers',
    '',
    `llhttp: ${llhttp.length} requests, ${llhttp.length - Object.keys(LLHTTP_DEVIATIONS).length} decided as there. gunicorn: ${gunicorn.length} requests, ${gunicorn.length - Object.keys(GUNICORN_DEVIATIONS).length} decided as there. They are part of our tests`,
    '(`packages/http/test/http1/vectors`). The others:',
    '',
    '| cases of llhttp | here | RFC | reason |',
    '|---|---|---|---|',
    ...reasonsOf(LLHTTP_DEVIATIONS),
    '',
    '| cases of gunicorn | here | RFC | reason |',
    '|---|---|---|---|',
    ...reasonsOf(GUNICORN_DEVIATIONS),
    ...Object.values(GUNICORN_READ_DIFFERENTLY).map((reason) => `| 1 | read otherwise | | ${reason} |`),
    '',
    '## web-platform-tests',
    '',
    'What the cases of `fetch/api/{headers,response,request,body}` ask that need no server (31 files, as of 2025), written anew with neighbours of many of them, since the suite itself was',
    'not at hand, and asked of Node’s classes and of ours under their',
    'names. Requests as a handler receives them are asked what the suite asks of `new Request`.',
    '',
    '| Node | both pass | Node’s alone | ours alone | neither |',
    '|---|---|---|---|---|',
    '| 20.20 | 695, and 98 of received requests | 0 | 2 | 13 |',
    '| 24.21 | 695, 98 | 0 | 2 | 13 |',
    '| 26.10 | 702, 98 | 0 | 2 | 6 |',
    '',
    'Ours alone: of two byte order marks text loses one, and a `then` on `Object.prototype` does not get between bytes and their text. Neither: chunks of a cloned stream are shared (until',
    'Node 26), such a `then` sees the chunks of streams, `new Request(request, { body })` leaves the first request’s content unread.',
    '',
    'Beyond the suite, and not as the platform: `Response.redirect` takes a relative location; text and bytes may be sent more than once.',
    '',
    '## Frameworks',
    '',
    'One application each, served by `wellknown-http --handler`, @hono/node-server 2.1 and srvx 1.0 at once; status, fields and content of every answer compared.',
    '',
    '| application | requests | as one of the others, at least | otherwise |',
    '|---|---|---|---|',
    '| Hono 4.13: 22 of its middlewares and helpers, bodies, streams, cookies, proxies | 109 | 107 | 2, better: see below |',
    '| h3 2.0: every kind of answer, bodies, events, proxy, cookies | 49 | 49 | |',
    '| Elysia 1.4 | 41 | 37 | 3 generators, 1 redirect |',
    '| itty-router 5 | 18 | 18 | |',
    '| React Router 7: loaders, actions, resource routes, `.data` | 15 | 15 | |',
    '| SvelteKit 2: pages, actions, endpoints, streams | 20 | 20 | |',
    '| tRPC 11, GraphQL Yoga 5, better-auth 1: calls, batches, uploads, events, sessions | 52 | 50 | the text of one error, and one sign-up again of an account that the others still had |',
    '',
    '- `new Response(fetched.body, fetched)` of a compressed answer leaves without its Content-Encoding: Node has decoded the content. The others send plain text that says it is gzip.',
    '- Hono’s `bodyLimit` and an upload in chunks: as @hono/node-server. srvx, and `--platform-classes` here, answer 500: Node’s own `Request` takes only its own objects.',
    '- Elysia’s `redirect("/x")` is relative, which the platform’s `Response.redirect` refuses.',
    '- Elysia’s generators put text into the stream of a response. The fetch standard takes bytes there, and it breaks off, as on Deno; the log says what to do.',
    '- What srvx 1, @hono/node-server 2 and h3 2 expect in their own tests and is otherwise here: the [README](../../packages/http/README.md#the-platforms-names).',
    '',
  ].join('\n');

test('docs/compliance/http.md says what the tables say', async () => {
  await expect(page()).toMatchFileSnapshot(path.join(import.meta.dirname, '../../../docs/compliance/http.md'));
});
