// One request and its response, from the complete head to the last byte of both.

import type { HttpLimits } from '../limits.ts';
import type { RequestBody } from '../fetch/request-body.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { abortRequest, type HttpRequest } from '../fetch/request.ts';
import type { ResponseHeaders } from '../fetch/field-set.ts';

/**
 * How far the response is. `detached`: the exchange sends nothing more, since the handler has taken the connection
 * over, or the stream is closed.
 */
export type ResponseState = 'awaited' | 'started' | 'complete' | 'detached';

export class Exchange {
  readonly head: RequestHead;
  readonly request: HttpRequest;
  readonly body: RequestBody | undefined;
  /** The last byte of the request has come. */
  requestComplete: boolean;
  responseState: ResponseState = 'awaited';
  /** The connection ends with this response. */
  closes = false;
  /** Content has begun to arrive, so that a client which was to wait for 100 (Continue) did not. */
  bodyStarted = false;
  continueSent = false;
  /** Content that came after the response was complete. */
  discardedBytes = 0;
  /** Content since the last check of the rate. */
  bytesSinceCheck = 0;
  /** Of the response, for the log: 0 until it has begun. */
  status = 0;
  contentBytes = 0;
  /** Stops whatever produces the response. */
  cancel: ((reason: Error) => void) | undefined = undefined;
  /** What follows a chunked response, asked when its content has ended. */
  trailers: (() => ResponseHeaders) | undefined = undefined;
  requestId: string | undefined = undefined;
  /** When it began, for the log; -1 where there is none. */
  startedMs = -1;

  constructor(head: RequestHead, request: HttpRequest, body: RequestBody | undefined) {
    this.head = head;
    this.request = request;
    this.body = body;
    this.requestComplete = body === undefined;
  }

  /** The client waits to be told to send its content, and has not begun by itself. */
  get isToContinue(): boolean {
    return this.head.expectsContinue && !this.bodyStarted && !this.continueSent;
  }

  /** It asks for another protocol, and nothing of this one is left to be done. */
  get mayBeTakenOver(): boolean {
    return this.responseState === 'awaited' && this.requestComplete && this.head.wantsUpgrade;
  }

  /** Method and path for who looks at connections. Without the query: it may hold what is secret. */
  get summary(): string {
    const { method, target, path } = this.head;
    return `${method} ${path === '' ? target : (path.split('?', 1)[0] ?? '')}`;
  }

  /** Takes content for its reader. Returns how much has come by now that is discarded. */
  takeContent(bytes: Buffer): number {
    this.bodyStarted = true;
    this.bytesSinceCheck += bytes.length;
    if (this.responseState === 'complete') this.discardedBytes += bytes.length;
    else this.body?.push(bytes);
    return this.discardedBytes;
  }

  /** The content is complete. */
  endContent(trailerLines: string): void {
    this.requestComplete = true;
    if (this.body === undefined) return;
    this.body.trailerLines = trailerLines;
    this.body.finish();
  }
}

/**
 * Whether a response that begins now has to be the last one (RFC 9112 §9.3): the client says so, or unread content is
 * in the way.
 */
export function mustCloseAfter({ head, body, requestComplete, isToContinue }: Exchange, limits: HttpLimits): boolean {
  if (!head.persistent) return true;
  if (requestComplete || body === undefined || body.used) return false;
  // A client that was not told to continue may send the content or the next request: there is no telling which.
  if (isToContinue) return true;
  return head.framing.body === 'length' && head.framing.byteLength > limits.maxDiscardedBodyBytes;
}

/** Whether too little content came since the last question. Starts the next interval. */
export function isTooSlow(exchange: Exchange, { bodyCheckMs, minBodyBytesPerSecond }: HttpLimits): boolean {
  const received = exchange.bytesSinceCheck;
  exchange.bytesSinceCheck = 0;
  return !exchange.isToContinue && received < (minBodyBytesPerSecond * bodyCheckMs) / 1000;
}

/** Tells the readers and writers of an exchange that it is over. */
export function abortExchange(exchange: Exchange, reason: Error): void {
  exchange.body?.finish(reason);
  exchange.cancel?.(reason);
  abortRequest(exchange.request, reason);
}
