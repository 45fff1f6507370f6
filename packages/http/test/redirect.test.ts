import { expect, test } from 'vitest';
import { redirectToHttps } from '../src/index.ts';
import { readResponses, serveHandler } from './serve.ts';

test.each([
  ['/', undefined, 'https://a.example/'],
  ['/b%20c?d=e&f', undefined, 'https://a.example/b%20c?d=e&f'],
  ['//b/c?d', undefined, 'https://a.example//b/c?d'],
  ['http://a.example/b?c=d', undefined, 'https://a.example/b?c=d'],
  ['http://a.example:8080/b?c=d', undefined, 'https://a.example/b?c=d'],
  ['http://a.example?c', undefined, 'https://a.example/?c'],
  ['/b?c', 8443, 'https://a.example:8443/b?c'],
])('%s goes to the same place over HTTPS (port %s)', (target, port, location) => {
  const { peer } = serveHandler(redirectToHttps(port));
  const host = /^http:\/\/([^/?]*)/.exec(target)?.[1] ?? 'a.example';
  peer.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const [response] = readResponses(peer.take());
  expect([response?.status, response?.headers.get('location')]).toEqual([308, location]);
});
