// What the TLVs of a PROXY header say of the client, beyond its address.

import { parseTlvs, PROXY_TLV, type ProxyHeader, type ProxyTlv } from './parser.ts';

const SSL_TLV = { version: 0x21, commonName: 0x22, cipher: 0x23 } as const;
const decoder = new TextDecoder();

/** What a proxy tells of the client beyond its address, as far as this reads it. */
export interface ProxyDetails {
  readonly alpn?: string;
  /** The server name that the client asked for. */
  readonly authority?: string;
  readonly uniqueId?: Uint8Array;
  /** Present when the client reached the proxy over TLS. */
  readonly ssl?: {
    readonly version?: string;
    readonly cipher?: string;
    readonly commonName?: string;
    readonly clientCertificate: 'none' | 'verified' | 'unverified';
  };
}

/** Reads the TLVs that have a name. */
export function proxyDetails(header: ProxyHeader): ProxyDetails {
  const value = (tlvs: readonly ProxyTlv[], type: number): Uint8Array | undefined =>
    tlvs.find((tlv) => tlv.type === type)?.value;
  const text = (bytes: Uint8Array | undefined): string | undefined =>
    bytes === undefined ? undefined : decoder.decode(bytes);
  const ssl = value(header.tlvs, PROXY_TLV.ssl);
  // One byte of flags, four of the verification's result, then TLVs again (§2.2.6).
  const inner = ssl === undefined || ssl.length < 5 ? undefined : parseTlvs(ssl.subarray(5));
  const present = (ssl?.[0] ?? 0) & 1;
  const certificate =
    ((ssl?.[0] ?? 0) & 6) === 0
      ? 'none'
      : ssl?.subarray(1, 5).every((byte) => byte === 0) === true
        ? 'verified'
        : 'unverified';
  const details = {
    alpn: text(value(header.tlvs, PROXY_TLV.alpn)),
    authority: text(value(header.tlvs, PROXY_TLV.authority)),
    uniqueId: value(header.tlvs, PROXY_TLV.uniqueId),
    ssl:
      inner === undefined || present === 0
        ? undefined
        : given({
            version: text(value(inner, SSL_TLV.version)),
            cipher: text(value(inner, SSL_TLV.cipher)),
            commonName: text(value(inner, SSL_TLV.commonName)),
            clientCertificate: certificate,
          } as const),
  };
  return given(details);
}

type Given<Fields> = {
  readonly [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<Fields[Key], undefined>;
} & { readonly [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key] };

/** The fields that have a value. */
const given = <Fields extends object>(fields: Fields): Given<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>;
