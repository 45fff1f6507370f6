// What a row of the checklist is: a rule of the RFCs, and bytes that try it. `checklist-requests.ts` holds what clients
// send, `checklist-responses.ts` what handlers answer; `checklist.test.ts` plays every case whole, byte by byte and cut
// anywhere.

import type { FetchHandler } from '../../src/handler.ts';
import type { HttpLimits } from '../../src/limits.ts';
import { HttpResponse } from '../../src/fetch/response.ts';

export interface Case {
  readonly input: string;
  /** The statuses in order, with the content where it matters. */
  readonly responses: readonly (readonly [status: number, body?: string])[];
  /** Whether the server has ended the connection afterwards. */
  readonly closes: boolean;
  /** The response breaks off: `responses` is empty, and the output must match this as far as it goes. */
  readonly breaks?: RegExp;
  /** What the output must hold, or must not. */
  readonly says?: RegExp;
  readonly keepsQuiet?: RegExp;
  readonly handler?: FetchHandler;
  readonly limits?: Partial<HttpLimits>;
  /** The client shuts down its writing side after the input. */
  readonly ends?: boolean;
  /** Seconds that pass after the input. */
  readonly seconds?: number;
  /** Where HEAD or the like decides how responses are read. */
  readonly methods?: readonly string[];
}

export interface Row {
  /** Its number in the checklist; a number stands once. */
  readonly id: number;
  readonly section: string;
  readonly rule: string;
  readonly cases: readonly Case[];
}

/** Answers with the method, the target and the content of the request. */
export const echo: FetchHandler = async (request) =>
  new HttpResponse(`${request.method} ${request.url} ${await request.text()}`);
/** Answers at once, without a look at the content. */
export const hello: FetchHandler = () => new HttpResponse('hello');

const HOST = 'Host: a\r\n';
export const get = (lines = '', target = '/', version = 'HTTP/1.1'): string =>
  `GET ${target} ${version}\r\n${HOST}${lines}\r\n`;
export const post = (lines: string, content = ''): string => `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${content}`;
export const chunked = (content: string): string => post('Transfer-Encoding: chunked\r\n', content);

/**
 * Inputs that are refused with this status, after which the connection ends. A whole request behind each must not be
 * answered.
 */
export const refused = (status: number, ...inputs: readonly string[]): Case[] =>
  inputs.map((input) => ({
    input: input + get(),
    responses: [[status]],
    closes: true,
    says: /\r\nConnection: close\r\n/,
  }));
/** Inputs that are one request each, answered 200, after which the connection goes on. */
export const accepted = (...inputs: readonly string[]): Case[] =>
  inputs.map((input) => ({ input, responses: [[200]], closes: false }));
