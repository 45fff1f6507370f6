// The page that `up` answers with: what is running here, and how to talk to each server.

import { HttpResponse, type FetchHandler } from '@wellknown/http';

export type Ports = Readonly<Record<'http' | 'ftp' | 'telnet' | 'echo', number>>;

interface Card {
  readonly title: string;
  readonly rfc: string;
  readonly text: string;
  readonly commands: readonly string[];
}

function cards(ports: Ports): readonly Card[] {
  return [
    {
      title: `HTTP on port ${ports.http}`,
      rfc: 'RFC 9110, 9112',
      text: 'This page. HTTP/1.1 and 1.0, keep-alive, pipelining; give it a folder or a fetch handler of your own.',
      commands: [`curl -i http://127.0.0.1:${ports.http}/`],
    },
    {
      title: `FTP on port ${ports.ftp}`,
      rfc: 'RFC 959, 3659',
      text: 'An example in memory, read-only, for anonymous users.',
      commands: [
        `lftp -e 'ls; cat README.txt; quit' -p ${ports.ftp} 127.0.0.1`,
        `curl ftp://127.0.0.1:${ports.ftp}/README.txt`,
      ],
    },
    {
      title: `Telnet on port ${ports.telnet}`,
      rfc: 'RFC 854, 1143',
      text: 'A demonstration session: it tells who you are and what your terminal can do.',
      commands: [`telnet 127.0.0.1 ${ports.telnet}`],
    },
    {
      title: `Echo on port ${ports.echo}`,
      rfc: 'RFC 862',
      text: 'Datagrams come back as they were sent.',
      commands: [`echo hello | socat - UDP:127.0.0.1:${ports.echo}`],
    },
  ];
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fbfaf7; --card: #fff; --line: #e3e0d8; --code: #f3f1eb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #a3a8b0; --paper: #16191e; --card: #1e2229; --line: #323842; --code: #14171b; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 4rem 1.25rem; }
h1 { font-size: 2.2rem; letter-spacing: -.02em; margin: 0 0 .3rem; }
.lead { color: var(--soft); margin: 0 0 2.5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.3rem; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 0; } h2 small { color: var(--soft); font-weight: 400; margin-left: .5rem; }
section p { margin: .3rem 0 .7rem; }
pre { background: var(--code); border-radius: 6px; margin: .4rem 0 0; padding: .6rem .8rem; overflow-x: auto; font: 14px/1.5 ui-monospace, monospace; }
footer { color: var(--soft); font-size: .9rem; margin-top: 2.5rem; }
`;

function page(ports: Ports): string {
  const sections = cards(ports).map(
    ({ title, rfc, text, commands }) =>
      `<section><h2>${title}<small>${rfc}</small></h2><p>${escapeHtml(text)}</p>${commands.map((command) => `<pre>${escapeHtml(command)}</pre>`).join('')}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>wellknown is running</title><style>${STYLE}</style></head>
<body><main><h1>wellknown is running</h1>
<p class="lead">Four servers under one supervisor, each in every worker process, on this machine only.</p>
${sections.join('\n')}
<footer>Ctrl-C in the terminal that started it ends all of them. Serve your own folder with <code>wellknown http ./site</code>.</footer>
</main></body></html>
`;
}

/** Answers `/` with the page, `/favicon.ico` with nothing, everything else with 404. */
export function welcomeHandler(ports: Ports): FetchHandler {
  const html = page(ports);
  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return new HttpResponse('Only GET and HEAD.\n', { status: 405, headers: { Allow: 'GET, HEAD' } });
    if (pathname === '/favicon.ico') return new HttpResponse(null, { status: 204 });
    if (pathname !== '/')
      return new HttpResponse('Not found. The page is at /\n', {
        status: 404,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      });
    return new HttpResponse(html, {
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
    });
  };
}
