// A reverse proxy: `node reverse-proxy.ts tcp://127.0.0.1:8080 http://127.0.0.1:3000` hands on what comes to the server
// behind it. Content streams both ways at the pace of the slower side; a client that goes away is heard there too.
import http from 'node:http';
import { Readable } from 'node:stream';
import { createHttpServer, HttpResponse, type FetchHandler, type RequestContext } from '@wellknown/http';

type Field = [name: string, value: string];
// About one connection only (RFC 9110 §7.6.1), beside those that Connection names; and what we say or do ourselves.
const KEPT_BACK =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|host|via|(x-)?forwarded.*)$/i;
function endToEnd(fields: readonly Field[]): Field[] {
  const named = fields.flatMap(([name, value]) => (/^connection$/i.test(name) ? value.split(/[ ,]+/) : []));
  const kept = new RegExp(`${KEPT_BACK.source}|^(${named.map((each) => each.replace(/\W/g, '\\$&')).join('|')})$`, 'i');
  return fields.filter(([name]) => !kept.test(name));
}

/** Who asked, as far as this server knows it: what a client says about itself is not handed on. */
const forwarded = ({ client: { address, scheme, host } }: RequestContext): Field[] => [
  ['Forwarded', `for=${address.includes(':') ? `"[${address}]"` : address};proto=${scheme};host="${host}"`],
  ...Object.entries({ 'X-Forwarded-For': address, 'X-Forwarded-Proto': scheme, 'X-Forwarded-Host': host }),
  ['Via', '1.1 wellknown'],
];

export function reverseProxy(upstream: URL, timeoutMs = 30_000): FetchHandler {
  const agent = new http.Agent({ keepAlive: true });
  return (request, context) =>
    new Promise((resolve) => {
      const { method, signal, body } = request;
      const { pathname, search } = new URL(request.url);
      // The framing is decided here: content without a length would be the next request to the server behind.
      const fields = endToEnd([...request.headers]).filter(([name]) => body !== null || name !== 'content-length');
      const isFramed = body === null || fields.some(([name]) => name === 'content-length');
      const framing: Field[] = isFramed ? [] : [['Transfer-Encoding', 'chunked']];
      const headers = [...fields, ...framing, ...forwarded(context), ['Host', upstream.host]].flat();
      const asked = http.request(upstream, { agent, method, path: pathname + search, headers, signal });
      const fail = (status: number): void => resolve(new HttpResponse(`${status}\n`, { status }));
      asked.setTimeout(timeoutMs, () => void (fail(504), asked.destroy()));
      asked.on('error', () => fail(502));
      // Nobody asked for another protocol.
      asked.on('upgrade', (_answer, socket) => void (fail(502), socket.destroy()));
      asked.on('response', (answer) => {
        const { rawHeaders: raw, statusCode: status = 502 } = answer;
        const fields = raw.flatMap((name, at): Field[] => (at % 2 === 0 ? [[name, raw[at + 1] ?? '']] : []));
        const isEmpty = method === 'HEAD' || [204, 205, 304].includes(status);
        if (isEmpty) answer.resume();
        const content = isEmpty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        const make = async (): Promise<Response> => new HttpResponse(content, { status, headers: endToEnd(fields) });
        // A status that is none, such as 999.
        make().then(resolve, () => void (fail(502), answer.destroy()));
      });
      const content = body === null ? Readable.from([]) : Readable.fromWeb(body as never);
      content.on('error', () => asked.destroy()).pipe(asked);
    });
}

const [, , listen, upstream] = process.argv;
if (listen !== undefined && upstream !== undefined)
  await createHttpServer(reverseProxy(new URL(upstream)), { listen, limits: { maxBodyBytes: Infinity } }).listen();
