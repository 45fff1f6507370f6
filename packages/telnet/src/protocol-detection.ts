// Browsers, TLS clients and SSH clients do find telnet ports. They are sent one line that says so, and no session
// begins.

// A TLS record of type handshake, version 3.x (RFC 8446 §5.1).
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** TLS, by the first two bytes of data; undefined while it is still possible but not certain. */
export function startsAsTls(first: Uint8Array): boolean | undefined {
  if (first.length === 0) return undefined;
  if (first[0] !== TLS_HANDSHAKE) return false;
  return first.length < 2 ? undefined : first[1] === TLS_MAJOR;
}

/**
 * Which protocol a first line belongs to. The whole request line is looked at: a user may well begin a session by
 * typing `GET LAMP`.
 */
export function protocolOfFirstLine(line: string): 'HTTP' | 'SSH' | undefined {
  if (/^SSH-[12]\./.test(line)) return 'SSH';
  if (/^[A-Z]{3,10} \S+ HTTP\/[0-9]/.test(line)) return 'HTTP';
  return undefined;
}
