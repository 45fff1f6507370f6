// Content with GET or HEAD, which has no meaning (RFC 9110 §9.3.1) but comes, and which the platform's Request has no room
// for.

import { textStreamOf } from './like-native.ts';
import { platform } from './platform.ts';

/** A platform Request without a body, whose content can be read whole: it is that of `content`. */
export function requestWithContent(url: string, init: RequestInit, content: Response): Request {
  const request = new (platform().Request)(url, init);
  const own: Readonly<Record<string, unknown>> = {
    arrayBuffer: () => content.arrayBuffer(),
    blob: () => content.blob(),
    bytes: async () => new Uint8Array(await content.arrayBuffer()),
    formData: () => (content as { formData(): Promise<FormData> }).formData(),
    json: () => content.json(),
    text: () => content.text(),
    ...('textStream' in request && { textStream: () => textStreamOf(content) }),
    clone: () => {
      const { method, headers, signal } = request;
      return requestWithContent(url, { method, headers, signal }, content.clone());
    },
  };
  for (const [name, value] of Object.entries(own))
    Object.defineProperty(request, name, { value, writable: true, configurable: true });
  return Object.defineProperty(request, 'bodyUsed', { get: () => content.bodyUsed, configurable: true });
}
