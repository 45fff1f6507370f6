// The server names that a certificate is for, as its own text says them.

import { X509Certificate } from 'node:crypto';

// Node's text of a subjectAltName: `DNS:a.example, IP Address:::1`; a value that could be read as more than one thing
// is quoted.
const ENTRY = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
// A name, or all names one label below it (RFC 6125 §6.4.3).
const SERVER_NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** The DNS names of the first certificate's subjectAltName, in lower case. Throws where the text is no certificate. */
export const serverNamesOf = (pem: string): readonly string[] =>
  dnsNamesIn(new X509Certificate(pem).subjectAltName ?? '');

/** The DNS names in Node's text of a subjectAltName. What is no name of a server is left out. */
export const dnsNamesIn = (subjectAltName: string): readonly string[] =>
  Array.from(subjectAltName.matchAll(ENTRY), ([, type, value = '']) =>
    type === 'DNS' ? value.toLowerCase() : '',
  ).filter((name) => SERVER_NAME.test(name));
