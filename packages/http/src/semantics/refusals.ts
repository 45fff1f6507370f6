// Every way a request can be refused before a handler sees it: the status, the clause, and a sentence for the body and
// the log. After each of them the connection is closed, since what follows on it can't be trusted.

export interface RefusalSpec {
  readonly status: 400 | 408 | 413 | 414 | 417 | 421 | 431 | 501 | 505;
  readonly rfc: string;
  readonly text: string;
}

export const REFUSALS = {
  'leading-junk': { status: 400, rfc: '9112 §2.2', text: 'too many empty lines before the request line' },
  'bare-lf': { status: 400, rfc: '9112 §2.2', text: 'a line ends with LF alone' },
  'bare-cr': { status: 400, rfc: '9112 §2.2', text: 'a CR without LF' },
  'method-invalid': { status: 400, rfc: '9110 §9.1', text: 'the method is not a token' },
  'method-unknown': { status: 501, rfc: '9110 §9.1', text: 'the method is not implemented' },
  'target-invalid': { status: 400, rfc: '9112 §3.2', text: 'the request target is not valid' },
  'target-too-long': { status: 414, rfc: '9112 §3', text: 'the request target is too long' },
  'request-line-invalid': {
    status: 400,
    rfc: '9112 §3',
    text: 'the request line is not METHOD TARGET VERSION with single spaces',
  },
  'version-invalid': { status: 400, rfc: '9112 §2.3', text: 'the protocol version is malformed' },
  'version-unsupported': { status: 505, rfc: '9110 §15.6.6', text: 'only HTTP/1.0 and HTTP/1.1 are spoken here' },
  'field-name-invalid': { status: 400, rfc: '9112 §5', text: 'a field name is not a token followed by a colon' },
  'space-before-colon': { status: 400, rfc: '9112 §5.1', text: 'whitespace between a field name and its colon' },
  'field-folded': { status: 400, rfc: '9112 §5.2', text: 'a line of the header section starts with whitespace' },
  'field-value-invalid': { status: 400, rfc: '9110 §5.5', text: 'a control character in a field value' },
  'field-invalid': { status: 400, rfc: '9113 §8.2.1', text: 'a field whose name or value is not valid' },
  'head-too-large': { status: 431, rfc: '6585 §5', text: 'the header section is too large' },
  'too-many-fields': { status: 431, rfc: '6585 §5', text: 'too many header fields' },
  'host-missing': { status: 400, rfc: '9112 §3.2', text: 'HTTP/1.1 needs a Host field' },
  'host-repeated': { status: 400, rfc: '9112 §3.2', text: 'more than one Host field' },
  'host-invalid': { status: 400, rfc: '9110 §7.2', text: 'the Host field is not a host with an optional port' },
  'scheme-insecure': { status: 421, rfc: '9110 §7.4', text: 'an https target on a connection without TLS' },
  'content-type-repeated': { status: 400, rfc: '9110 §5.3', text: 'more than one Content-Type field' },
  'content-length-invalid': { status: 400, rfc: '9112 §6.3', text: 'Content-Length is not one decimal number' },
  'content-length-repeated': { status: 400, rfc: '9112 §6.3', text: 'more than one Content-Length field' },
  'length-and-coding': { status: 400, rfc: '9112 §6.1', text: 'Content-Length and Transfer-Encoding together' },
  'coding-in-1.0': { status: 400, rfc: '9112 §6.1', text: 'Transfer-Encoding in an HTTP/1.0 request' },
  'coding-invalid': { status: 400, rfc: '9112 §6.1', text: 'Transfer-Encoding does not end in exactly one chunked' },
  'coding-unknown': { status: 501, rfc: '9112 §6.1', text: 'only the chunked transfer coding is implemented' },
  'chunk-size-invalid': { status: 400, rfc: '9112 §7.1', text: 'a chunk size is not a hexadecimal number' },
  'chunk-extension-invalid': { status: 400, rfc: '9112 §7.1.1', text: 'a chunk extension is malformed' },
  'chunk-extensions-too-large': { status: 413, rfc: '9112 §7.1.1', text: 'too many bytes of chunk extensions' },
  'chunk-end-invalid': { status: 400, rfc: '9112 §7.1', text: 'chunk data is not followed by CR LF' },
  'trailer-forbidden': {
    status: 400,
    rfc: '9110 §6.5.1',
    text: 'a trailer field that would change framing or routing',
  },
  'trailers-too-large': { status: 431, rfc: '9112 §7.1.2', text: 'the trailer section is too large' },
  'body-too-large': { status: 413, rfc: '9110 §15.5.14', text: 'the content is larger than allowed here' },
  'expectation-unknown': { status: 417, rfc: '9110 §10.1.1', text: 'the only expectation met here is 100-continue' },
  'head-timeout': { status: 408, rfc: '9110 §15.5.9', text: 'the request did not arrive in time' },
  'body-timeout': { status: 408, rfc: '9110 §15.5.9', text: 'the content did not arrive in time' },
} as const satisfies Record<string, RefusalSpec>;

export type Refusal = keyof typeof REFUSALS;
