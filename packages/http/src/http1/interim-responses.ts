// What is sent ahead of a response: 100 (Continue) and 103 (Early Hints), at once, since they are for the time until then.

import type { Exchange } from '../exchange/exchange.ts';
import type { WriteBuffer } from './write-buffer.ts';

/**
 * True where 100 was sent: asked for, not yet given, and not overtaken by the content or by the response (RFC 9110
 * §10.1.1).
 */
export function sendContinue(exchange: Exchange, writeBuffer: WriteBuffer): boolean {
  if (exchange.responseState !== 'awaited' || !exchange.isToContinue) return false;
  exchange.continueSent = true;
  send('HTTP/1.1 100 Continue\r\n\r\n', writeBuffer);
  return true;
}

/** Nothing where the response has begun, and for HTTP/1.0, which has no interim responses. */
export function sendEarlyHints(
  { responseState, head }: Exchange,
  fields: readonly (readonly [name: string, value: string])[],
  writeBuffer: WriteBuffer,
): void {
  if (responseState !== 'awaited' || head.minorVersion === 0) return;
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  send(`HTTP/1.1 103 Early Hints\r\n${lines}\r\n`, writeBuffer);
}

function send(text: string, writeBuffer: WriteBuffer): void {
  writeBuffer.add(text);
  writeBuffer.flush();
}
