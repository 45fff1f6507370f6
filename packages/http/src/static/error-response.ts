import { HttpResponse } from '../fetch/response.ts';

const STATUS_TEXTS = {
  400: 'The path is not valid.',
  403: 'The file may not be read.',
  404: 'Not found.',
  405: 'Only GET and HEAD are answered here.',
  412: 'A precondition does not hold.',
  416: 'The file has no such range.',
  503: 'The file cannot be read just now. Try again.',
} as const;

/** An answer that says in one sentence why there is no file in it. */
export const refuse = (status: keyof typeof STATUS_TEXTS, headers: Record<string, string> = {}): HttpResponse =>
  new HttpResponse(`${STATUS_TEXTS[status]}\n`, { status, headers });
