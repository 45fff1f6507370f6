// Who does not speak telnet finds out at once: the first bytes and the first line of a connection are looked at, and
// then never again.

import { PLAIN_MSSP_REQUEST } from './engine/options/mssp.ts';
import { protocolOfFirstLine, startsAsTls } from './protocol-detection.ts';

export interface OtherProtocolsParts {
  /** It speaks this, and gets a sentence. */
  readonly refuse: (protocol: string) => void;
  /** It asks for the status in plain text. True when it was told, and the connection is over. */
  readonly answeredStatus: () => boolean;
}

export interface OtherProtocols {
  /** True when these bytes are none of the session's. */
  refusesBytes(bytes: Uint8Array): boolean;
  /** True when this line is none of the session's. */
  refusesLine(line: string): boolean;
}

export function createOtherProtocols({ refuse, answeredStatus }: OtherProtocolsParts): OtherProtocols {
  /** The first bytes of data, until they are known not to be TLS. */
  let firstBytes: Uint8Array | undefined = new Uint8Array(0);
  let sawLine = false;
  return {
    refusesBytes(bytes) {
      if (firstBytes === undefined) return false;
      firstBytes = Uint8Array.of(...firstBytes, ...bytes.subarray(0, 2));
      const isTls = startsAsTls(firstBytes);
      if (isTls === true) refuse('TLS');
      else if (isTls === false) firstBytes = undefined;
      return isTls === true;
    },
    refusesLine(line) {
      if (sawLine) return false;
      sawLine = true;
      if (line === PLAIN_MSSP_REQUEST) return answeredStatus();
      const other = protocolOfFirstLine(line);
      if (other !== undefined) refuse(other);
      return other !== undefined;
    },
  };
}
